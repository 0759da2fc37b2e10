// SPDX-License-Identifier: Apache-2.0
#include "alerts/mail.h"

#include <catch2/catch.hpp>

#include "alerts/log_entries.h"
#include "alerts/wording_test.h"
#include "core/encoding.h"

namespace vouch::alerts {
namespace {

ChannelSpec mail_spec() {
  ChannelSpec spec;
  spec.from = "vouch@example.com";
  spec.to = {"a@example.com", "b@example.com"};
  return spec;
}

std::string body_of(const std::string& message) {
  std::string base64;
  for (const char c : message.substr(message.find("\r\n\r\n") + 4)) {
    if (c != '\r' && c != '\n') base64 += c;
  }
  // Lines are encoded one by one: all but the last are without padding.
  const auto text = base64_decode(base64);
  REQUIRE(text);
  return *text;
}

}  // namespace

TEST_CASE("a mail has the headers that a mail needs, and lines that every server takes",
          "[alerts]") {
  const auto message = mail_message(sample_alert(), mail_spec(), 1'790'000'000'391);

  CHECK(message.starts_with(
      "From: vouch@example.com\r\nTo: a@example.com,\r\n b@example.com\r\n"
      "Subject: [high] web-01: No login account unused for 90 days (firing, 1)\r\n"
      "Date: Mon, 21 Sep 2026 14:13:20 +0000\r\n"
      "Message-ID: <vouch.17.6f1c2a9e-0b7d-4c53-9a51-2d0e8b3f4c77@example.com>\r\n"
      "Auto-Submitted: auto-generated\r\n"));
  CHECK(body_of(message).find("Found: 7 rows violate it\r\n") != std::string::npos);
  for (std::size_t at = 0; at < message.size();) {
    const auto end = message.find("\r\n", at);
    REQUIRE(end != std::string::npos);
    CHECK(end - at <= 78);
    at = end + 2;
  }
}

TEST_CASE("nothing of an alert becomes a header", "[alerts]") {
  Alert alert = sample_alert();
  alert.conditions[0].condition.title = "x\r\nBcc: all@example.com\r\n\r\nhello";
  alert.sender.id = "a>\r\nX: y";

  const auto message = mail_message(alert, mail_spec(), 0);

  CHECK(message.find("\r\nBcc:") == std::string::npos);
  CHECK(message.find("\r\nX:") == std::string::npos);
  CHECK(message.find("Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n") != std::string::npos);
}

TEST_CASE("a subject that is not ASCII is encoded, in words between characters", "[alerts]") {
  CHECK(mail_header_text("plain [text]") == "plain [text]");
  CHECK(mail_header_text("=?x") == "=?UTF-8?B?PT94?=");
  std::string text;
  for (int i = 0; i < 60; ++i) text += "ä";
  const auto header = mail_header_text(text);
  std::string back;
  for (std::size_t at = 0; at < header.size();) {
    REQUIRE(header.substr(at, 10) == "=?UTF-8?B?");
    const auto end = header.find("?=", at);
    const auto word = base64_decode(header.substr(at + 10, end - at - 10));
    REQUIRE(word);
    CHECK(json::is_valid_utf8(*word));
    back += *word;
    at = end + 2;
    if (at < header.size()) {
      REQUIRE(header.substr(at, 3) == "\r\n ");
      at += 3;
    }
  }
  CHECK(back == text);
}

TEST_CASE("the journal gets fields, of several lines with their length", "[alerts]") {
  const auto entries = journal_entries(sample_alert(), {});

  REQUIRE(entries.size() == 1);
  const std::string& entry = entries[0];
  CHECK(entry.find("\nPRIORITY=3\n") != std::string::npos);
  CHECK(entry.find("\nVOUCH_KIND=control-drift\n") != std::string::npos);
  CHECK(entry.find("\nVOUCH_LABEL_HOST=web-01\n") != std::string::npos);
  CHECK(entry.find("\nVOUCH_ALERT=17\n") != std::string::npos);
  REQUIRE(entry.starts_with("MESSAGE\n"));
  std::uint64_t length = 0;
  for (int i = 7; i >= 0; --i) {
    length = (length << 8) | static_cast<unsigned char>(entry[8 + static_cast<std::size_t>(i)]);
  }
  CHECK(entry.substr(16, length).ends_with("--expiredate 1 NAME`"));
  CHECK(entry[16 + length] == '\n');
}

TEST_CASE("a syslog line has structured data in which nothing can end early", "[alerts]") {
  Alert alert = sample_alert();
  alert.conditions[0].condition.value = R"(a "b" \ ] c)";
  alert.sender.name = "a b";

  const auto entries = syslog_entries(alert, {});

  REQUIRE(entries.size() == 1);
  CHECK(entries[0].starts_with(
      R"(<27>1 2026-09-21T14:13:20.118Z a-b vouch - control-drift [vouch@32473 alert="17")"));
  CHECK(entries[0].find(R"(value="a \"b\" \\ \] c")") != std::string::npos);
  CHECK(entries[0].find('\n') == std::string::npos);
  for (int i = 0; i < 32; ++i) {
    alert.conditions[0].condition.labels["l" + std::to_string(i)] = std::string(256, ']');
  }
  CHECK(syslog_entries(alert, {})[0].size() <= 8192);
  CHECK(syslog_entries(sample_test(), {})[0].starts_with("<29>1 "));
}

}  // namespace vouch::alerts
