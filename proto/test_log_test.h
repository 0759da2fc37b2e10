// SPDX-License-Identifier: Apache-2.0
// A log in memory for tests: RFC 8032's TEST 1 key as the log, TEST 2's as a witness.
#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "core/encoding.h"
#include "proto/checkpoint.h"
#include "proto/note.h"
#include "proto/receipt.h"
#include "proto/signing_key.h"
#include "proto/tile.h"

namespace vouch::test {

inline constexpr std::string_view kSeed1 =
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
inline constexpr std::string_view kSeed2 =
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
inline constexpr std::string_view kOrigin = "store.example.com/log1";

inline SigningKey key_of(std::string_view seed_hex) {
  auto key = SigningKey::from_ed25519_seed(*hex_decode(seed_hex));
  REQUIRE(key);
  return *std::move(key);
}

struct TestLog {
  SigningKey key = key_of(kSeed1);
  note::VerifierKey vkey = *note::make_vkey(kOrigin, note::KeyType::log, key);
  std::vector<std::string> entries;

  // Another history under the same key.
  TestLog twin() const {
    TestLog copy;
    copy.entries = entries;
    return copy;
  }
  std::vector<merkle::Hash> leaves() const {
    std::vector<merkle::Hash> hashes;
    for (const auto& entry : entries) hashes.push_back(merkle::leaf_hash(entry));
    return hashes;
  }
  checkpoint::Checkpoint head(std::uint64_t size) const {
    const auto hashes = leaves();
    return {vkey.name, size, *merkle::root(merkle::node_reader(hashes), size)};
  }
  checkpoint::Checkpoint head() const { return head(entries.size()); }
  std::string signed_head(std::uint64_t size) const {
    return *checkpoint::sign(head(size), vkey, key);
  }
  std::string signed_head() const { return signed_head(entries.size()); }
  receipt::TlogProof proof(std::uint64_t index, std::uint64_t size) const {
    const auto hashes = leaves();
    return {entries[index], index,
            *merkle::inclusion_proof(merkle::node_reader(hashes), index, size), signed_head(size)};
  }
  std::string receipt(std::uint64_t index) const {
    return receipt::write(proof(index, entries.size()));
  }
  std::string consistency(std::uint64_t from, std::uint64_t to) const {
    const auto hashes = leaves();
    return receipt::write_consistency(
        {from, *merkle::consistency_proof(merkle::node_reader(hashes), from, to)});
  }
  policy_file::Policy policy() const { return {{{vkey, ""}}, {}, {}, "none"}; }
};

}  // namespace vouch::test
