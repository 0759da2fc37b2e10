// SPDX-License-Identifier: Apache-2.0
#include "proto/note.h"

#include <catch2/catch.hpp>

#include "core/digest.h"
#include "core/json.h"
#include "proto/test_log_test.h"
#include "proto/vectors_test.h"

namespace vouch::note {
namespace {

// C2SP signed-note.md, "Example".
constexpr std::string_view kVkey =
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const std::string kText = "This is an example message.\n";
const std::string kLine =
    "\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFX"
    "mRKuwHjG1Yu72IneyaQM=\n";

bool verifies(const std::string& bytes, const std::vector<VerifierKey>& known) {
  const auto note = parse_note(bytes);
  if (!note) return false;
  const auto verified = verify_note(*note, known);
  return verified && !verified->empty();
}

}  // namespace

TEST_CASE("the public signed notes verify", "[note]") {
  const auto text = vectors::read("note/vectors.json");
  if (!text) return;
  const auto cases = json::parse(*text);
  REQUIRE(cases);
  for (const auto& one : *cases->if_array()) {
    const auto vkey = parse_vkey(*one.find("vkey")->if_string());
    REQUIRE(vkey);
    CHECK(write_vkey(*vkey) == *one.find("vkey")->if_string());
    CHECK(verifies(*one.find("note")->if_string(), {*vkey}) == *one.find("valid")->if_bool());
  }
}

TEST_CASE("a note verifies with its key and no other bytes", "[note]") {
  const std::vector<VerifierKey> known = {*parse_vkey(kVkey)};
  REQUIRE(verifies(kText + "\n" + kLine, known));

  CHECK_FALSE(verifies("this is an example message.\n\n" + kLine, known));
  CHECK_FALSE(verifies(kText + "more\n\n" + kLine, known));
  auto damaged = kText + "\n" + kLine;
  for (std::size_t i = kText.size() + 25; i + 3 < damaged.size(); i += 7) {
    CAPTURE(i);
    auto copy = damaged;
    copy[i] = copy[i] == 'A' ? 'B' : 'A';
    CHECK_FALSE(verifies(copy, known));
  }
}

TEST_CASE("the form of a note is strict", "[note]") {
  const auto bad = GENERATE_COPY(
      as<std::string>{}, "", "\n", "text\n", kText + kLine, kText + "\n",
      kText + "\n" + kLine + "\n", kText + "\n" + kLine.substr(0, kLine.size() - 1),
      kText + "\r\n" + kLine, kText + "\n" + kLine.substr(0, kLine.size() - 1) + "\r\n",
      "a\tb\n\n" + kLine, std::string("a\0b\n\n", 5) + kLine, "\xff\n\n" + kLine,
      kText + "\n" + "- example.com/foo AAAA\n", kText + "\n\u2014 example.com/foo AAAA\n",
      kText + "\n\u2014 example.com/foo\n",
      kText + "\n\u2014 example.com/foo " + "AAAAAAAA\n" + "no signature line\n",
      kText + "\n\u2014 exa+mple AAAAAAAA\n", kText + "\n\u2014  AAAAAAAA\n",
      kText + "\n\u2014 a\u00a0b AAAAAAAA\n", kText + "\n\u2014 ab AAAAAAA_\n",
      kText + "\n\u2014 ab AAAAAAAA \n", "a\x7f\n\n" + kLine);
  CAPTURE(bad);

  CHECK_FALSE(parse_note(bad));
}

TEST_CASE("text and signatures part at the last empty line", "[note]") {
  const auto note = parse_note("one\n\ntwo\n\n" + kLine);
  REQUIRE(note);
  CHECK(note->text == "one\n\ntwo\n");
  CHECK(note->signatures.size() == 1);
}

TEST_CASE("sixty-four signature lines are accepted, one more is not", "[note]") {
  std::string lines;
  for (int i = 0; i < 64; ++i) lines += "\u2014 unknown" + std::to_string(i) + " AAAAAAAA\n";
  CHECK(parse_note(kText + "\n" + lines));
  CHECK_FALSE(parse_note(kText + "\n" + lines + kLine));
  CHECK(parse_note(std::string(60000, 'x') + "\n\n" + kLine));
  const auto large = parse_note(std::string(65536, 'x') + "\n\n" + kLine);
  REQUIRE_FALSE(large);
  CHECK(large.error().code == Errc::too_large);
}

TEST_CASE("unknown keys are passed over, a bad signature of a known one refuses all", "[note]") {
  const auto foo = *parse_vkey(kVkey);
  auto witness_key = test::key_of(test::kSeed2);
  const auto witness = *make_vkey("witness.example/w", KeyType::cosignature, witness_key);
  const auto good_line = *sign_line(kText, witness, witness_key, 1767225600);
  const auto other_line = *sign_line("other\n", witness, witness_key, 1767225600);

  const auto both = parse_note(assemble(kText, {kLine, good_line}));
  const auto bad = parse_note(assemble(kText, {kLine, other_line}));
  REQUIRE((both && bad));

  const auto verified = verify_note(*both, {foo, witness});
  REQUIRE(verified);
  REQUIRE(verified->size() == 2);
  CHECK(verified->at(1).time == 1767225600);
  CHECK_FALSE(verify_note(*bad, {foo, witness}));
  CHECK(verify_note(*bad, {foo}).value_or({}).size() == 1);
  CHECK(verify_note(*both, {}).value_or({{}}).empty());
}

TEST_CASE("a cosignature does not verify as a log's signature of the same key", "[note]") {
  auto key = test::key_of(test::kSeed1);
  const auto log = *make_vkey("name", KeyType::log, key);
  const auto witness = *make_vkey("name", KeyType::cosignature, key);
  CHECK(log.key_id != witness.key_id);

  // A line that claims the log's key id over a cosignature's bytes.
  const auto line = *sign_line(kText, witness, key, 5);
  auto bytes = *base64_decode(line.substr(9, line.size() - 10));
  bytes.replace(0, 4, log.key_id);
  const auto forged = "\u2014 name " + base64_encode(bytes) + "\n";
  const auto note = parse_note(assemble(kText, {forged}));
  REQUIRE(note);
  CHECK_FALSE(verify_note(*note, {log}));
}

TEST_CASE("the vkey and signature of section 19 come out", "[note]") {
  test::TestLog log;
  CHECK(write_vkey(log.vkey) ==
        "store.example.com/log1+edec57d7+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea");
  log.entries = {"{}", "{}"};
  CHECK(log.signed_head() ==
        "store.example.com/log1\n2\n2GD6uFQkDJOwKPygp495qSyoo7eg9w+sxgx62mRsNKc=\n\n"
        "\u2014 store.example.com/log1 7exX1+QgFT000KmXvjGhZvOJlY3TCqT0Qc0ZSSVDjoWigBdf2qqmByiqqmW"
        "+b0beUt4O3jY3FSOe2IaFn51TTGxjfQw=\n");
}

TEST_CASE("the succession note of section 19 verifies with both keys", "[note]") {
  const auto log1 =
      parse_vkey("store.example.com/log1+edec57d7+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea");
  const auto log2 =
      parse_vkey("store.example.com/log2+062ea6cb+AT1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM");
  REQUIRE((log1 && log2));
  const auto note = parse_note(
      "vouch-succession/v1\nstore.example.com/log1\n2\n"
      "2GD6uFQkDJOwKPygp495qSyoo7eg9w+sxgx62mRsNKc=\n" +
      write_vkey(*log2) +
      "\n\n"
      "\u2014 store.example.com/log1 "
      "7exX1ze7VYhxDhJxsWOu+w4qF+wcH+WJcXEQQFBN+F34jBKbt9qhOgQJ+rPghn6"
      "EtFWAe6ZzAcALJAg0wRoECtdsNgg=\n"
      "\u2014 store.example.com/log2 "
      "Bi6my5R+YiAg2jOP3j/nyP72J3kTnBtztKQ6OYrrXej9pllELCS9jzf1VtUR9qp"
      "p3//k8zANEPlPaCjpUdxiES2UVgM=\n");
  REQUIRE(note);

  const auto verified = verify_note(*note, {*log1, *log2});

  REQUIRE(verified);
  CHECK(verified->size() == 2);
}

TEST_CASE("verifier keys are strict", "[note]") {
  const std::string good(kVkey);
  const auto bad = GENERATE_COPY(
      as<std::string>{}, "", "a+b", "example.com/foo+530d903b" + good.substr(24),
      "example.com/foo+530D903A" + good.substr(24), "example.com/fop" + good.substr(15),
      "+530d903a" + good.substr(24), "exa mple+530d903a" + good.substr(24), good + "A", good + "=",
      good + "+x", "example.com/foo+530d903+" + good.substr(25));
  CAPTURE(bad);
  CHECK_FALSE(parse_vkey(bad));
}

TEST_CASE("a verifier key of another type is unsupported, one of small order invalid", "[note]") {
  const auto make = [](char type, const std::string& key) {
    const std::string id_input = std::string("n\n") + type + key;
    return "n+" + hex_encode(sha256(id_input).substr(0, 4)) + "+" +
           base64_encode(std::string(1, type) + key);
  };
  REQUIRE(parse_vkey(make('\x01', parse_vkey(kVkey)->public_key)));

  const auto ml_dsa = parse_vkey(make('\x06', std::string(1312, 'k')));
  REQUIRE_FALSE(ml_dsa);
  CHECK(ml_dsa.error().code == Errc::unsupported);
  const auto small = parse_vkey(make('\x01', std::string(32, '\0')));
  REQUIRE_FALSE(small);
  CHECK(small.error().code == Errc::invalid);
  CHECK_FALSE(parse_vkey(make('\x01', std::string(31, 'k'))));
}

}  // namespace vouch::note
