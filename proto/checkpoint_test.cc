// SPDX-License-Identifier: Apache-2.0
#include "proto/checkpoint.h"

#include <catch2/catch.hpp>

#include "core/json.h"
#include "proto/test_log_test.h"
#include "proto/vectors_test.h"

namespace vouch::checkpoint {

TEST_CASE("a checkpoint's text is strict", "[checkpoint]") {
  const std::string root = "2GD6uFQkDJOwKPygp495qSyoo7eg9w+sxgx62mRsNKc=";
  REQUIRE(parse_text("a\n7\n" + root + "\n"));
  REQUIRE(parse_text("a\n9223372036854775807\n" + root + "\n"));
  REQUIRE(parse_text("a\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"));

  const auto bad = GENERATE_COPY(
      as<std::string>{}, "", "a\n7\n" + root, "a\n007\n" + root + "\n", "a\n+1\n" + root + "\n",
      "a\n9223372036854775808\n" + root + "\n", "a\n18446744073709551623\n" + root + "\n",
      "a\n-1\n" + root + "\n", "a\n\n" + root + "\n", "a\n7 \n" + root + "\n",
      "a\n7\n" + root + "\nextension\n", "a\n7\n\n" + root + "\n", "a+b\n7\n" + root + "\n",
      "a b\n7\n" + root + "\n", "\n7\n" + root + "\n", "a\n7\n" + root.substr(0, 43) + "\n",
      "a\n7\n2GD6uFQkDJOwKPygp495qSyoo7eg9w+sxgx62mRsNA==\n",
      "a\n7\n2GD6uFQkDJOwKPygp495qSyoo7eg9w-sxgx62mRsNKc=\n", "a\n0\n" + root + "\n",
      "a\n0x7\n" + root);
  CAPTURE(bad);
  CHECK_FALSE(parse_text(bad));
}

TEST_CASE("a checkpoint opens with the log's key only", "[checkpoint]") {
  test::TestLog log;
  log.entries = {"a", "b", "c"};
  const auto note = log.signed_head();

  const auto opened = open(note, log.vkey);
  REQUIRE(opened);
  CHECK(opened->checkpoint == log.head());
  CHECK(opened->note == note);

  const auto key2 = test::key_of(test::kSeed2);
  const auto other = open(note, *note::make_vkey(test::kOrigin, note::KeyType::log, key2));
  REQUIRE_FALSE(other);
  CHECK(other.error().code == Errc::denied);
  CHECK_FALSE(open(note, *note::make_vkey("elsewhere", note::KeyType::log, log.key)));
}

TEST_CASE("a checkpoint whose origin is another log's name is refused", "[checkpoint]") {
  test::TestLog log;
  auto head = log.head();
  head.origin = "store.example.com/log2";
  const auto text = write_text(head);
  const auto note = note::assemble(text, {*note::sign_line(text, log.vkey, log.key)});

  CHECK_FALSE(open(note, log.vkey));
  CHECK_FALSE(sign(head, log.vkey, log.key));
}

TEST_CASE("a known witness that signed badly refuses the checkpoint", "[checkpoint]") {
  test::TestLog log;
  log.entries = {"a"};
  auto key2 = test::key_of(test::kSeed2);
  const auto witness = *note::make_vkey("w", note::KeyType::cosignature, key2);
  const auto text = write_text(log.head());
  const auto log_line = *note::sign_line(text, log.vkey, log.key);
  const auto good = note::assemble(text, {log_line, *note::sign_line(text, witness, key2, 7)});
  const auto bad = note::assemble(text, {log_line, *note::sign_line("x\n", witness, key2, 7)});

  const auto opened = open(good, log.vkey, {witness});
  REQUIRE(opened);
  REQUIRE(opened->witnesses.size() == 1);
  CHECK(opened->witnesses.front().time == 7);
  CHECK(open(good, log.vkey)->witnesses.empty());
  CHECK(open(bad, log.vkey));
  CHECK_FALSE(open(bad, log.vkey, {witness}));
}

TEST_CASE("what a bundle saw of the log convicts by itself", "[checkpoint]") {
  test::TestLog log;
  log.entries = {"a", "b"};
  const auto opened = open(log.signed_head(), log.vkey);
  REQUIRE(opened);

  CHECK(verify_seen(log.head(), opened->log_signature, log.vkey));
  auto other = log.head();
  other.size = 3;
  CHECK_FALSE(verify_seen(other, opened->log_signature, log.vkey));
  CHECK_FALSE(verify_seen(log.head(), "", log.vkey));
  CHECK_FALSE(verify_seen(log.head(), "AAAAAA==", log.vkey));
}

TEST_CASE("the home-made cosignature and tessera's checkpoint verify", "[checkpoint]") {
  if (const auto text = vectors::read("selfgen/tlog_cosignature_proof.json")) {
    const auto v = json::parse(*text);
    REQUIRE(v);
    const auto log = note::parse_vkey(*v->find("log_vkey")->if_string());
    const auto witness = note::parse_vkey(*v->find("witness_vkey")->if_string());
    REQUIRE((log && witness));
    const auto opened = open(*v->find("checkpoint")->if_string(), *log, {*witness});
    REQUIRE(opened);
    CHECK(opened->checkpoint.size == 7);
    REQUIRE(opened->witnesses.size() == 1);
    CHECK(opened->witnesses.front().time == 1767225600);
  }
  if (const auto text = vectors::read("tessera/testdata/log/checkpoint.7")) {
    const auto log = note::parse_vkey(
        "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx");
    REQUIRE(log);
    CHECK(open(*text, *log));
  }
}

}  // namespace vouch::checkpoint
