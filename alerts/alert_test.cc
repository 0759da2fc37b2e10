// SPDX-License-Identifier: Apache-2.0
#include "alerts/alert.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "source_dir.h"

namespace vouch::alerts {
namespace {

std::string example(const std::string& kind) {
  std::ifstream file(std::filesystem::path(VOUCH_SOURCE_DIR) / "docs/formats/alert.md");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const auto begin = text.find("```json example=" + kind + "\n");
  REQUIRE(begin != std::string::npos);
  const auto line = text.find('\n', begin) + 1;
  return text.substr(line, text.find("\n```", line) - line);
}

}  // namespace

TEST_CASE("the alert and the answer in the documents are canonical and read back", "[alerts]") {
  const auto alert = parse_alert(example("alert"));
  if (!alert) FAIL(alert.error().message);
  CHECK(json::write(to_json(*alert)) == example("alert"));
  CHECK(alert->conditions[0].condition.labels.at("host") == "web-01");
  const auto answer = parse_answer(example("alert-answer"));
  REQUIRE(answer);
  CHECK(write_answer(*answer) == example("alert-answer"));
}

TEST_CASE("each required member of an alert is asked for", "[alerts]") {
  const auto whole = json::parse(example("alert")).value();
  for (const auto& [name, value] : *whole.if_object()) {
    if (name == "rule") continue;
    json::Value less = whole;
    less.if_object()->erase(name);
    CAPTURE(name);
    const auto parsed = parse_alert(json::write(less));
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().message.find(name) != std::string::npos);
  }
}

TEST_CASE("an alert that is too large, or tells nothing, is refused", "[alerts]") {
  CHECK_FALSE(parse_alert(std::string(kAlertBytesMax + 1, ' ')));
  auto value = json::parse(example("alert")).value();
  (*value.if_object())["conditions"] = json::Array{};
  CHECK_FALSE(parse_alert(json::write(value)));
  (*value.if_object())["type"] = "test";
  CHECK(parse_alert(json::write(value)));
  (*value.if_object())["v"] = 2;
  CHECK_FALSE(parse_alert(json::write(value)));
}

TEST_CASE("an answer says one of two things", "[alerts]") {
  const auto failed = parse_answer(
      R"({"failed":"2026-11-21T19:30:02.391Z","message":"503 from\n\u001b[31m it","n":3})");
  REQUIRE(failed);
  CHECK(failed->message == "503 from  [31m it");
  CHECK_FALSE(parse_answer(R"({"n":3})"));
  CHECK_FALSE(parse_answer(R"({"failed":"2026-11-21T19:30:02.391Z","n":3})"));
  CHECK_FALSE(parse_answer(
      R"({"failed":"2026-11-21T19:30:02.391Z","message":"x","n":3,"sent":"2026-11-21T19:30:02.391Z"})"));
  CHECK_FALSE(parse_answer(R"({"n":"3","sent":"2026-11-21T19:30:02.391Z"})"));
  CHECK_FALSE(parse_answer(R"({"n":3,"sent":"yesterday"})"));
}

TEST_CASE("texts are made to fit people, and secrets do not pass", "[alerts]") {
  CHECK(tidy_text("a\nb\tc\x7f", 100) == "a b c ");
  CHECK(tidy_text("\xff\xfe", 100) == "??");
  CHECK(tidy_text("\xc3\xa4\xc3\xa4\xc3\xa4", 5) == "\xc3\xa4\xe2\x80\xa6");
  CHECK(tidy_text("key AKIAIOSFODNN7EXAMPLE", 100) == "[redacted]");
  Condition condition;
  condition.title = std::string(1000, 't');
  condition.findings.assign(50, "row");
  condition.labels["host"] = std::string(1000, 'h');
  const Condition tidied = tidy(condition);
  CHECK(tidied.title.size() == kTitleBytesMax);
  CHECK(tidied.findings.size() == kFindingsShownMax);
  CHECK(tidied.labels.at("host").size() == kLabelBytesMax);
}

}  // namespace vouch::alerts
