// SPDX-License-Identifier: Apache-2.0
#include "proto/succession.h"

#include <catch2/catch.hpp>

#include "core/digest.h"
#include "core/encoding.h"
#include "proto/test_log_test.h"

namespace vouch::succession {
namespace {

const std::string kText =
    "vouch-succession/v1\n"
    "store.example.com/log1\n"
    "2\n"
    "2GD6uFQkDJOwKPygp495qSyoo7eg9w+sxgx62mRsNKc=\n"
    "store.example.com/log2+062ea6cb+AT1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM\n";
const std::string kConsent =
    "\u2014 store.example.com/log1 "
    "7exX1ze7VYhxDhJxsWOu+w4qF+wcH+WJcXEQQFBN+F34jBKbt9qhOgQJ+rPghn6EtFWAe6ZzAcALJAg0wRoECtdsNgg="
    "\n";
const std::string kPossession =
    "\u2014 store.example.com/log2 "
    "Bi6my5R+YiAg2jOP3j/nyP72J3kTnBtztKQ6OYrrXej9pllELCS9jzf1VtUR9qpp3//k8zANEPlPaCjpUdxiES2UVgM="
    "\n";

// Succession of the log of two entries `{}` by log2, which has the key of TEST 2.
struct Logs {
  test::TestLog old_log;
  SigningKey new_key = test::key_of(test::kSeed2);
  note::VerifierKey new_log =
      *note::make_vkey("store.example.com/log2", note::KeyType::log, new_key);
  Statement statement;

  Logs() {
    old_log.entries = {"{}", "{}"};
    statement = {old_log.head(), new_log};
  }
  std::string note() const { return *sign(statement, old_log.vkey, old_log.key, new_key); }
};

std::string changed(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("the succession of section 19 comes out byte for byte", "[succession]") {
  const Logs logs;

  CHECK(write_text(logs.statement) == kText);
  CHECK(digest(logs.statement) ==
        "79e6574fdc3345f965b8f29a02ff7d48fda1b91672cca3367edf4117cf83b88e");
  CHECK(logs.note() == kText + "\n" + kConsent + kPossession);
}

TEST_CASE("a succession with both signatures opens", "[succession]") {
  const Logs logs;
  const std::string stranger =
      "\u2014 witness.example.com " + base64_encode(std::string(76, 'w')) + "\n";

  for (const auto& lines : {kConsent + kPossession, kPossession + stranger + kConsent}) {
    const auto opened = open(kText + "\n" + lines, logs.old_log.vkey);

    REQUIRE(opened);
    CHECK(opened->statement == logs.statement);
    CHECK(opened->digest == digest(logs.statement));
  }
  CHECK(*peek_old_origin(logs.note()) == "store.example.com/log1");
}

TEST_CASE("one signature of the two is not enough", "[succession]") {
  const Logs logs;

  for (const auto& line : {kConsent, kPossession, kConsent + kConsent}) {
    const auto opened = open(kText + "\n" + line, logs.old_log.vkey);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == Errc::denied);
  }
  // The old key under the new name is no possession.
  const auto line = *note::sign_line(
      kText, *note::make_vkey("store.example.com/log2", note::KeyType::log, logs.old_log.key),
      logs.old_log.key);
  CHECK_FALSE(open(kText + "\n" + kConsent + line, logs.old_log.vkey));
  CHECK_FALSE(open(changed(logs.note(), "7exX1ze7", "7exX1ze8"), logs.old_log.vkey));
  CHECK_FALSE(open(changed(logs.note(), "Bi6my5R+", "Bi6my5R/"), logs.old_log.vkey));
}

TEST_CASE("a succession of another log, end or key does not open", "[succession]") {
  const Logs logs;
  const auto note = logs.note();

  CHECK_FALSE(open(note, logs.new_log));
  CHECK_FALSE(open(changed(note, "\n2\n", "\n3\n"), logs.old_log.vkey));
  CHECK_FALSE(open(changed(note, "2GD6", "2GD7"), logs.old_log.vkey));
  CHECK_FALSE(open(changed(note, "log2+062ea6cb", "log3+062ea6cb"), logs.old_log.vkey));
}

TEST_CASE("the text of a succession is strict", "[succession]") {
  const auto bad =
      GENERATE(as<std::string>{}, "", "\n", "vouch-succession/v1", "vouch-succession/v1\n",
               changed(kText, "/v1", "/v2"), changed(kText, "\n2\n", "\n02\n"), kText + "more\n",
               changed(kText, "\n2\n", "\n2\n\n"), kText.substr(0, kText.size() - 1),
               changed(kText, "AT1AF8", "BD1AF8"), changed(kText, "store.example.com/log1", "a b"),
               changed(kText, "store.example.com/log1", "vouch-succession/v1"),
               changed(kText, "store.example.com/log1", "store.example.com/log2"));
  CAPTURE(bad);
  REQUIRE(parse_text(kText));

  CHECK_FALSE(parse_text(bad));
}

TEST_CASE("no succession is signed with other keys or to a log of the same name", "[succession]") {
  Logs logs;
  CHECK_FALSE(sign(logs.statement, logs.old_log.vkey, logs.new_key, logs.new_key));
  CHECK_FALSE(sign(logs.statement, logs.old_log.vkey, logs.old_log.key, logs.old_log.key));
  CHECK_FALSE(sign(logs.statement, logs.new_log, logs.new_key, logs.new_key));

  logs.statement.successor =
      *note::make_vkey(logs.old_log.vkey.name, note::KeyType::log, logs.new_key);
  CHECK_FALSE(sign(logs.statement, logs.old_log.vkey, logs.old_log.key, logs.new_key));
  logs.statement.successor = *note::make_vkey(kTag, note::KeyType::log, logs.new_key);
  CHECK_FALSE(sign(logs.statement, logs.old_log.vkey, logs.old_log.key, logs.new_key));
}

TEST_CASE("the first leaf of the new log must say what the succession says", "[succession]") {
  const Logs logs;
  const leaf::Succession good{
      "store.example.com/log1", 2,      "2GD6uFQkDJOwKPygp495qSyoo7eg9w+sxgx62mRsNKc=", "planned",
      digest(logs.statement),   "local"};
  CHECK(check_leaf(good, logs.statement));

  auto other = good;
  other.size = 3;
  CHECK_FALSE(check_leaf(other, logs.statement));
  other = good;
  other.origin = "store.example.com/log0";
  CHECK_FALSE(check_leaf(other, logs.statement));
  other = good;
  other.statement.reset();
  CHECK_FALSE(check_leaf(other, logs.statement));
}

}  // namespace vouch::succession
