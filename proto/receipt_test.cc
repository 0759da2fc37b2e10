// SPDX-License-Identifier: Apache-2.0
#include "proto/receipt.h"

#include <catch2/catch.hpp>

#include "core/encoding.h"
#include "core/json.h"
#include "proto/test_log_test.h"
#include "proto/vectors_test.h"

namespace vouch::receipt {
namespace {

const std::string kAgent = "6f1c2a9e-0b7d-4c53-9a51-2d0e8b3f4c77";
const std::string kKeyid = "BuP9j9opu2CrWVV95h7bCuzbIxE0vjDnW0Vfjht5L6k=";
const std::string kSig(88, 'A');

std::string digest(char c) {
  return std::string(64, c);
}

std::string bundle_entry(std::int64_t seq, char id, const std::string& agent = kAgent) {
  return *leaf::write(
      {1795289402118 + seq, leaf::Bundle{agent, seq, digest(id), digest('0'), kKeyid, kSig}});
}

// Entries 0 to 8: bundles of seq 0 to 8.
test::TestLog log_of_bundles() {
  test::TestLog log;
  for (std::int64_t seq = 0; seq < 9; ++seq) log.entries.push_back(bundle_entry(seq, 'a'));
  return log;
}

Expected expected(std::int64_t seq) {
  return {kAgent, seq, digest('a'), digest('0'), kKeyid};
}

// The receipt of leaf 5 with one line replaced; lines count from 0.
std::string with_line(const std::string& receipt, int number, const std::string& line) {
  std::size_t begin = 0;
  for (; number > 0; --number) begin = receipt.find('\n', begin) + 1;
  auto copy = receipt;
  copy.replace(begin, receipt.find('\n', begin) - begin, line);
  return copy;
}

}  // namespace

TEST_CASE("a tlog-proof is written and read back", "[receipt]") {
  const auto log = log_of_bundles();
  const auto bytes = log.receipt(5);

  const auto proof = parse(bytes);

  REQUIRE(proof);
  CHECK(proof->extra == log.entries[5]);
  CHECK(proof->index == 5);
  CHECK(write(*proof) == bytes);
}

TEST_CASE("the form of a tlog-proof is strict", "[receipt]") {
  const auto log = log_of_bundles();
  const auto good = log.receipt(5);
  const auto zero = base64_encode(std::string(32, '\0'));
  const auto bad = GENERATE_COPY(
      as<std::string>{}, "", with_line(good, 0, "c2sp.org/tlog-proof@v2"), "\n" + good,
      with_line(good, 1, "extra"), with_line(good, 1, "extra  AAAA"),
      with_line(good, 1, "extra AA"), with_line(good, 2, "index 05"),
      with_line(good, 2, "index +5"), with_line(good, 2, "index -5"), with_line(good, 2, "index"),
      with_line(good, 2, "index 9223372036854775808"),
      with_line(good, 3, base64_encode(std::string(31, '\0'))),
      with_line(good, 3, base64_encode(std::string(33, '\0'))), with_line(good, 3, zero + " "),
      with_line(good, 3, zero + "\r"), good.substr(0, good.find("\n\n") + 1),
      good.substr(0, good.find("\n\n") + 2), good.substr(0, good.find("\n\n")));
  CAPTURE(bad);
  CHECK_FALSE(parse(bad));
}

TEST_CASE("sixty-four hashes in a tlog-proof are refused", "[receipt]") {
  const auto log = log_of_bundles();
  auto proof = log.proof(5, 9);
  proof.proof.assign(64, std::string(32, '\0'));
  CHECK_FALSE(parse(write(proof)));
  proof.proof.pop_back();
  CHECK(parse(write(proof)));
}

TEST_CASE("an agent accepts the receipt of its own bundle", "[receipt]") {
  const auto log = log_of_bundles();

  const auto first = accept(log.receipt(5), expected(5), log.policy(), std::nullopt, std::nullopt);
  CHECK(first.verdict == Verdict::accepted);
  REQUIRE(first.opened);
  CHECK(first.opened->leaf.at == 1795289402123);
  CHECK(first.opened->index == 5);

  const auto next =
      accept(log.receipt(5), expected(5), log.policy(), log.head(7), log.consistency(7, 9));
  CHECK(next.verdict == Verdict::accepted);
  const auto same = accept(log.receipt(5), expected(5), log.policy(), log.head(9), std::nullopt);
  CHECK(same.verdict == Verdict::accepted);
}

TEST_CASE("rule 1: what does not parse is malformed", "[receipt]") {
  const auto log = log_of_bundles();
  auto no_extra = log.proof(5, 9);
  no_extra.extra.reset();
  auto no_leaf = log.proof(5, 9);
  no_leaf.extra = "{}";
  const auto good = log.receipt(5);
  const auto bad = GENERATE_COPY(as<std::string>{}, write(no_extra), write(no_leaf), "x",
                                 good.substr(0, good.size() - 1), good + "\n");
  CHECK(accept(bad, expected(5), log.policy(), {}, {}).verdict == Verdict::malformed);
}

TEST_CASE("rule 2: another entry than the expected one is foreign", "[receipt]") {
  auto log = log_of_bundles();
  log.entries.push_back(bundle_entry(9, 'a', "6f1c2a9e-0b7d-4c53-9a51-2d0e8b3f4c78"));
  log.entries.push_back(*leaf::write({1795289402200, leaf::SignIn{"local", "password"}}));
  const auto verdict = [&](std::uint64_t index, Expected e) {
    return accept(log.receipt(index), e, log.policy(), {}, {}).verdict;
  };
  CHECK(verdict(9, expected(9)) == Verdict::foreign);
  CHECK(verdict(10, expected(9)) == Verdict::foreign);
  CHECK(verdict(4, expected(5)) == Verdict::foreign);
  auto other = expected(5);
  other.id = digest('c');
  CHECK(verdict(5, other) == Verdict::foreign);
  other = expected(5);
  other.prev = digest('c');
  CHECK(verdict(5, other) == Verdict::foreign);
  other = expected(5);
  other.keyid = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
  CHECK(verdict(5, other) == Verdict::foreign);
}

TEST_CASE("rule 3: only the pinned log's signature counts", "[receipt]") {
  auto log = log_of_bundles();
  const auto policy = log.policy();
  const auto good = log.receipt(5);
  auto damaged = good;
  damaged[damaged.size() - 10] = damaged[damaged.size() - 10] == 'A' ? 'B' : 'A';
  CHECK(accept(damaged, expected(5), policy, {}, {}).verdict == Verdict::bad_signature);

  log.key = test::key_of(test::kSeed2);
  log.vkey = *note::make_vkey(test::kOrigin, note::KeyType::log, log.key);
  CHECK(accept(log.receipt(5), expected(5), policy, {}, {}).verdict == Verdict::bad_signature);
  log.vkey = *note::make_vkey("evil.example/log1", note::KeyType::log, log.key);
  CHECK(accept(log.receipt(5), expected(5), policy, {}, {}).verdict == Verdict::bad_signature);
}

TEST_CASE("rule 4: an entry that is not in the tree is refused", "[receipt]") {
  const auto log = log_of_bundles();
  const auto verdict = [&](const TlogProof& proof) {
    return accept(write(proof), expected(5), log.policy(), {}, {}).verdict;
  };
  auto proof = log.proof(5, 9);
  REQUIRE(verdict(proof) == Verdict::accepted);
  proof.extra = bundle_entry(5, 'a', kAgent).replace(60, 1, "3");  // Another `at`.
  CHECK(verdict(proof) != Verdict::accepted);
  auto other_at = *leaf::parse(log.entries[5]);
  other_at.at -= 1000;
  proof.extra = *leaf::write(other_at);
  CHECK(verdict(proof) == Verdict::bad_inclusion);

  proof = log.proof(5, 9);
  proof.index = 4;
  CHECK(verdict(proof) == Verdict::bad_inclusion);
  proof.index = 9;
  CHECK(verdict(proof) == Verdict::bad_inclusion);
  proof = log.proof(5, 9);
  proof.proof.pop_back();
  CHECK(verdict(proof) == Verdict::bad_inclusion);
}

TEST_CASE("rule 5: an older or unproved checkpoint means behind, never an alarm", "[receipt]") {
  const auto log = log_of_bundles();
  auto fork = log.twin();
  fork.entries[1] = bundle_entry(1, 'f');
  const auto receipt = log.receipt(5);
  const auto verdict = [&](const checkpoint::Checkpoint& accepted,
                           const std::optional<std::string>& consistency) {
    return accept(receipt, expected(5), log.policy(), accepted, consistency).verdict;
  };
  auto larger = log.head(9);
  larger.size = 10;
  CHECK(verdict(larger, std::nullopt) == Verdict::behind);
  CHECK(verdict(log.head(7), std::nullopt) == Verdict::behind);
  CHECK(verdict(log.head(7), "") == Verdict::behind);
  CHECK(verdict(log.head(7), log.consistency(6, 9)) == Verdict::behind);
  CHECK(verdict(fork.head(7), fork.consistency(7, 9)) == Verdict::behind);
  CHECK(verdict(fork.head(9), std::nullopt) == Verdict::behind);
  auto elsewhere = log.head(7);
  elsewhere.origin = "another";
  CHECK(verdict(elsewhere, log.consistency(7, 9)) == Verdict::behind);
}

TEST_CASE("rule 6: without the policy's quorum it is not accepted", "[receipt]") {
  const auto log = log_of_bundles();
  auto key2 = test::key_of(test::kSeed2);
  const auto witness = *note::make_vkey("w", note::KeyType::cosignature, key2);
  auto policy = log.policy();
  policy.witnesses.push_back({"w", witness, ""});
  policy.quorum = "w";

  CHECK(accept(log.receipt(5), expected(5), policy, {}, {}).verdict == Verdict::no_quorum);
  CHECK(accept(log.receipt(5), expected(5), policy, log.head(7), {}).verdict == Verdict::behind);

  auto proof = log.proof(5, 9);
  proof.checkpoint += *note::sign_line(checkpoint::write_text(log.head()), witness, key2, 9);
  CHECK(accept(write(proof), expected(5), policy, {}, {}).verdict == Verdict::accepted);
}

TEST_CASE("a consistency file is strict", "[receipt]") {
  const auto log = log_of_bundles();
  const auto good = log.consistency(7, 9);
  REQUIRE(parse_consistency(good));
  CHECK(parse_consistency(good)->old_size == 7);
  CHECK(write_consistency(*parse_consistency(good)) == good);
  CHECK(parse_consistency("old 9\n"));
  const auto bad = GENERATE_COPY(as<std::string>{}, "", "old\n", "old 07\n", "new 7\n", good + "\n",
                                 good + "x", good + "\n" + good, good.substr(0, good.size() - 1),
                                 "old 9", "old 9\n\n", "old 9\nAAAA\n");
  CAPTURE(bad);
  CHECK_FALSE(parse_consistency(bad));
}

TEST_CASE("two signed histories convict the log, and nothing less does", "[receipt]") {
  const auto log = log_of_bundles();
  auto fork = log.twin();
  fork.entries[1] = bundle_entry(1, 'f');
  const auto old_size = GENERATE(as<std::uint64_t>{}, 2, 4, 7, 8);
  const auto accepted = log.signed_head(old_size);
  const auto full = [&](const test::TestLog& of) {
    const auto hashes = of.leaves();
    return Contradiction{
        {old_size, *merkle::full_consistency_proof(merkle::node_reader(hashes), old_size, 9)},
        of.signed_head()};
  };
  const auto guilty = full(fork);
  REQUIRE(parse_contradiction(write_contradiction(guilty)));
  CHECK(convicts(*parse_contradiction(write_contradiction(guilty)), accepted, log.vkey));

  CHECK_FALSE(convicts(full(log), accepted, log.vkey));
  auto unsigned_head = guilty;
  unsigned_head.checkpoint[unsigned_head.checkpoint.size() - 9] ^= 1;
  CHECK_FALSE(convicts(unsigned_head, accepted, log.vkey));
  auto short_proof = guilty;
  short_proof.consistency.proof.pop_back();
  CHECK_FALSE(convicts(short_proof, accepted, log.vkey));
  auto wrong_size = guilty;
  wrong_size.consistency.old_size = 3;
  CHECK_FALSE(convicts(wrong_size, accepted, log.vkey));
}

TEST_CASE("only a logged bundle of its own at its own seq proves a fork", "[receipt]") {
  auto log = log_of_bundles();
  log.entries[5] = bundle_entry(5, 'f');
  const auto policy = log.policy();

  CHECK(proves_fork(log.receipt(5), policy, kAgent, 5, digest('a')));
  CHECK_FALSE(proves_fork(log.receipt(5), policy, kAgent, 5, digest('f')));
  CHECK_FALSE(proves_fork(log.receipt(5), policy, kAgent, 4, digest('a')));
  CHECK_FALSE(
      proves_fork(log.receipt(5), policy, "6f1c2a9e-0b7d-4c53-9a51-2d0e8b3f4c78", 5, digest('a')));
  auto proof = log.proof(5, 9);
  proof.checkpoint[proof.checkpoint.size() - 9] ^= 1;
  CHECK_FALSE(proves_fork(write(proof), policy, kAgent, 5, digest('a')));
}

TEST_CASE("the home-made tlog-proof holds", "[receipt]") {
  const auto text = vectors::read("selfgen/tlog_cosignature_proof.json");
  if (!text) return;
  const auto v = json::parse(*text);
  REQUIRE(v);
  const auto proof = parse(*v->find("tlog_proof")->if_string());
  const auto log = note::parse_vkey(*v->find("log_vkey")->if_string());
  REQUIRE((proof && log));
  CHECK_FALSE(proof->extra);
  const auto head = checkpoint::open(proof->checkpoint, *log);
  REQUIRE(head);
  CHECK(merkle::verify_inclusion(proof->index, head->checkpoint.size, merkle::leaf_hash("entry 5"),
                                 proof->proof, head->checkpoint.root));
  merkle::Proof consistency;
  for (const auto& hash : *v->find("consistency_3_7")->if_array()) {
    consistency.push_back(*base64_decode(*hash.if_string()));
  }
  CHECK(merkle::verify_consistency(
      3, 7, consistency, *base64_decode(*v->find("root3")->if_string()), head->checkpoint.root));
}

}  // namespace vouch::receipt
