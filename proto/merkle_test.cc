// SPDX-License-Identifier: Apache-2.0
#include "proto/merkle.h"

#include <catch2/catch.hpp>

#include "core/encoding.h"
#include "core/json.h"
#include "proto/vectors_test.h"

namespace vouch::merkle {
namespace {

std::vector<Hash> leaves_of(std::uint64_t count) {
  std::vector<Hash> leaves;
  for (std::uint64_t i = 0; i < count; ++i)
    leaves.push_back(leaf_hash("entry " + std::to_string(i)));
  return leaves;
}

// Of the vector files: base64, null is an empty proof, a malformed hash stays as short as it is.
Hash hash_of(const json::Value& value) {
  return base64_decode(*value.if_string()).value_or("?");
}

Proof proof_of(const json::Value& value) {
  Proof proof;
  if (const auto* items = value.if_array()) {
    for (const auto& item : *items) proof.push_back(hash_of(item));
  }
  return proof;
}

// Two files have the index 2^64-1, which no integer of our formats can be.
json::Value vector_at(const std::filesystem::path& file) {
  auto text = vectors::read(file).value_or("");
  constexpr std::string_view kBelowZero = "18446744073709551615";
  if (const auto at = text.find(kBelowZero); at != std::string::npos) {
    text.replace(at, kBelowZero.size(), "-1");
  }
  const auto value = json::parse(text);
  REQUIRE(value);
  return *value;
}

std::vector<std::filesystem::path> files_below(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  const auto top = vectors::directory() / "merkle/testdata" / folder;
  if (!std::filesystem::exists(top)) {
    WARN("skipped: no vectors at " << top.string());
    return files;
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(top)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  return files;
}

}  // namespace

TEST_CASE("the hashes of section 19 come out", "[merkle]") {
  const auto leaf = leaf_hash("{}");

  CHECK(hex_encode(leaf) == "28a3a18f6cd6406b086e9ffda1f9b8a13dbcf44b0f3f32cb9031a11fd053acf9");
  CHECK(base64_encode(node_hash(leaf, leaf)) == "2GD6uFQkDJOwKPygp495qSyoo7eg9w+sxgx62mRsNKc=");
  CHECK(base64_encode(empty_root()) == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

TEST_CASE("transparency-dev's inclusion vectors agree", "[merkle]") {
  for (const auto& file : files_below("inclusion")) {
    CAPTURE(file.string());
    const auto v = vector_at(file);
    const auto index = static_cast<std::uint64_t>(*v.find("leafIdx")->if_integer());
    const auto size = static_cast<std::uint64_t>(*v.find("treeSize")->if_integer());

    const auto ok = verify_inclusion(index, size, hash_of(*v.find("leafHash")),
                                     proof_of(*v.find("proof")), hash_of(*v.find("root")));

    CHECK(ok.has_value() != *v.find("wantErr")->if_bool());
  }
}

TEST_CASE("transparency-dev's consistency vectors agree", "[merkle]") {
  for (const auto& file : files_below("consistency")) {
    CAPTURE(file.string());
    const auto v = vector_at(file);
    const auto old_size = static_cast<std::uint64_t>(*v.find("size1")->if_integer());
    const auto size = static_cast<std::uint64_t>(*v.find("size2")->if_integer());

    const auto ok = verify_consistency(old_size, size, proof_of(*v.find("proof")),
                                       hash_of(*v.find("root1")), hash_of(*v.find("root2")));

    // From the empty tree there is nothing to prove: the caller's case, an error here.
    CHECK(ok.has_value() == (!*v.find("wantErr")->if_bool() && old_size != 0));
  }
}

TEST_CASE("every inclusion proof holds, and for no other index, leaf or root", "[merkle]") {
  const auto size = GENERATE(as<std::uint64_t>{}, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33);
  const auto leaves = leaves_of(size);
  const auto nodes = node_reader(leaves);
  const auto top = root(nodes, size);
  REQUIRE(top);

  for (std::uint64_t i = 0; i < size; ++i) {
    CAPTURE(size, i);
    auto proof = inclusion_proof(nodes, i, size);
    REQUIRE(proof);
    CHECK(verify_inclusion(i, size, leaves[i], *proof, *top));
    for (std::uint64_t j = 0; j < size + 1; ++j) {
      if (j != i) CHECK_FALSE(verify_inclusion(j, size, leaves[i], *proof, *top));
    }
    CHECK_FALSE(verify_inclusion(i, size, leaf_hash("other"), *proof, *top));
    CHECK_FALSE(verify_inclusion(i, size, leaves[i], *proof, leaf_hash("other")));
    proof->push_back(leaf_hash("trailing"));
    CHECK_FALSE(verify_inclusion(i, size, leaves[i], *proof, *top));
  }
}

TEST_CASE("every consistency proof holds, in both forms, and refuses damage", "[merkle]") {
  const auto leaves = leaves_of(33);
  const auto nodes = node_reader(leaves);
  for (std::uint64_t n = 1; n <= 33; ++n) {
    for (std::uint64_t m = 1; m <= n; ++m) {
      CAPTURE(m, n);
      const auto old_root = *root(nodes, m);
      const auto new_root = *root(nodes, n);
      auto proof = consistency_proof(nodes, m, n);
      REQUIRE(proof);
      CHECK(verify_consistency(m, n, *proof, old_root, new_root));
      CHECK_FALSE(verify_consistency(m, n, *proof, leaf_hash("x"), new_root));
      CHECK_FALSE(verify_consistency(m, n, *proof, old_root, leaf_hash("x")));
      if (m != n) CHECK_FALSE(verify_consistency(m, n, *proof, new_root, old_root));
      if (m < n) {
        CHECK_FALSE(verify_consistency(m, n, {}, old_root, new_root));
        CHECK_FALSE(verify_consistency(n, m, *proof, new_root, old_root));
        const auto full = full_consistency_proof(nodes, m, n);
        REQUIRE(full);
        CHECK_FALSE(contradicts(m, n, *full, old_root, new_root));
        CHECK(contradicts(m, n, *full, leaf_hash("x"), new_root));
        CHECK_FALSE(contradicts(m, n, *full, leaf_hash("x"), leaf_hash("y")));
      }
      proof->insert(proof->begin(), leaf_hash("leading"));
      CHECK_FALSE(verify_consistency(m, n, *proof, old_root, new_root));
    }
  }
}

TEST_CASE("a proof is refused for a swapped, missing, short or long hash", "[merkle]") {
  const auto leaves = leaves_of(11);
  const auto nodes = node_reader(leaves);
  const auto top = *root(nodes, 11);
  const auto good = *inclusion_proof(nodes, 5, 11);
  REQUIRE(verify_inclusion(5, 11, leaves[5], good, top));

  auto swapped = good;
  std::swap(swapped[0], swapped[1]);
  CHECK_FALSE(verify_inclusion(5, 11, leaves[5], swapped, top));
  auto missing = good;
  missing.erase(missing.begin() + 1);
  CHECK_FALSE(verify_inclusion(5, 11, leaves[5], missing, top));
  auto short_hash = good;
  short_hash[1].pop_back();
  CHECK_FALSE(verify_inclusion(5, 11, leaves[5], short_hash, top));
  auto long_hash = good;
  long_hash[1].push_back('\0');
  CHECK_FALSE(verify_inclusion(5, 11, leaves[5], long_hash, top));
  CHECK_FALSE(verify_inclusion(5, 11, "", good, top));
  CHECK_FALSE(verify_inclusion(5, 11, leaves[5], good, ""));
  CHECK_FALSE(verify_inclusion(0, 1, "", {}, ""));
}

TEST_CASE("sixty-four hashes are too many, whatever the size", "[merkle]") {
  const auto leaf = leaf_hash("");
  const Proof proof(64, leaf);

  const auto inclusion = verify_inclusion(0, kTreeSizeMax, leaf, proof, leaf);
  const auto consistency = verify_consistency(1, kTreeSizeMax, proof, leaf, leaf);

  REQUIRE_FALSE(inclusion);
  CHECK_THAT(inclusion.error().message, Catch::Contains("63"));
  REQUIRE_FALSE(consistency);
  CHECK_THAT(consistency.error().message, Catch::Contains("63"));
}

TEST_CASE("consistency with the empty tree is the caller's case", "[merkle]") {
  CHECK_FALSE(verify_consistency(0, 0, {}, empty_root(), empty_root()));
  CHECK_FALSE(verify_consistency(0, 3, {}, empty_root(), leaf_hash("")));
}

TEST_CASE("a forked log is convicted by the full form, and an honest one never", "[merkle]") {
  auto honest = leaves_of(20);
  auto forked = honest;
  forked[2] = leaf_hash("another entry 2");
  const auto m = GENERATE(as<std::uint64_t>{}, 3, 4, 8, 16, 19);
  CAPTURE(m);
  const auto old_root = *root(node_reader(honest), m);
  const auto fork_root = *root(node_reader(forked), 20);

  const auto proof = *full_consistency_proof(node_reader(forked), m, 20);

  CHECK(contradicts(m, 20, proof, old_root, fork_root));
  CHECK_FALSE(contradicts(m, 20, proof, old_root, *root(node_reader(honest), 20)));
  CHECK_FALSE(contradicts(m, 20, {}, old_root, fork_root));
  CHECK(contradicts(m, m, {}, old_root, fork_root));
  CHECK_FALSE(contradicts(m, m, {}, old_root, old_root));
}

TEST_CASE("the frontier has the root of every size", "[merkle]") {
  const auto leaves = leaves_of(40);
  Frontier frontier;
  CHECK(frontier.root() == empty_root());
  for (std::uint64_t size = 1; size <= 40; ++size) {
    frontier.append(leaves[size - 1]);
    CHECK(frontier.root() == *root(node_reader(leaves), size));
    CHECK(frontier.size() == size);
  }
}

}  // namespace vouch::merkle
