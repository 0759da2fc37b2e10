// SPDX-License-Identifier: Apache-2.0
#include "proto/merkle.h"

#include <bit>
#include <cassert>
#include <optional>
#include <utility>

#include "core/digest.h"

namespace vouch::merkle {
namespace {

Error invalid(std::string message) {
  return {Errc::invalid, std::move(message)};
}

// The largest power of two below `size`, as its exponent: where RFC 6962 splits a tree. size >= 2.
int split_level(std::uint64_t size) {
  return static_cast<int>(std::bit_width(size - 1)) - 1;
}

// MTH(D[begin:begin+count]) for a range that starts at a multiple of the power of two at or above
// `count`: what RFC 6962's recursion asks for.
Result<Hash> range_hash(const NodeReader& nodes, std::uint64_t begin, std::uint64_t count) {
  if (std::has_single_bit(count)) {
    const int level = std::countr_zero(count);
    return nodes(level, begin >> level);
  }
  const auto left_count = std::uint64_t{1} << split_level(count);
  auto left = range_hash(nodes, begin, left_count);
  if (!left) return left;
  auto right = range_hash(nodes, begin + left_count, count - left_count);
  if (!right) return right;
  return node_hash(*left, *right);
}

// PATH(index, D[begin:begin+count]) of RFC 9162 2.1.3.1, appended to `proof`.
Status append_path(const NodeReader& nodes, std::uint64_t index, std::uint64_t begin,
                   std::uint64_t count, Proof& proof) {
  if (count == 1) return Ok{};
  const auto left_count = std::uint64_t{1} << split_level(count);
  const bool goes_left = index < left_count;
  auto below = goes_left ? append_path(nodes, index, begin, left_count, proof)
                         : append_path(nodes, index - left_count, begin + left_count,
                                       count - left_count, proof);
  if (!below) return below;
  auto sibling = goes_left ? range_hash(nodes, begin + left_count, count - left_count)
                           : range_hash(nodes, begin, left_count);
  if (!sibling) return std::move(sibling).error();
  proof.push_back(*std::move(sibling));
  return Ok{};
}

// SUBPROOF(old, D[begin:begin+count], whole) of RFC 9162 2.1.4.1. `whole`: the old tree is this
// whole subtree's prefix on record, so its hash is known to the verifier and left out.
Status append_subproof(const NodeReader& nodes, std::uint64_t old_count, std::uint64_t begin,
                       std::uint64_t count, bool whole, Proof& proof) {
  if (old_count == count) {
    if (whole) return Ok{};
    auto hash = range_hash(nodes, begin, count);
    if (!hash) return std::move(hash).error();
    proof.push_back(*std::move(hash));
    return Ok{};
  }
  const auto left_count = std::uint64_t{1} << split_level(count);
  const bool goes_left = old_count <= left_count;
  auto below = goes_left ? append_subproof(nodes, old_count, begin, left_count, whole, proof)
                         : append_subproof(nodes, old_count - left_count, begin + left_count,
                                           count - left_count, false, proof);
  if (!below) return below;
  auto sibling = goes_left ? range_hash(nodes, begin + left_count, count - left_count)
                           : range_hash(nodes, begin, left_count);
  if (!sibling) return std::move(sibling).error();
  proof.push_back(*std::move(sibling));
  return Ok{};
}

Status check_hashes(const Proof& proof) {
  if (proof.size() > kProofHashesMax) return invalid("more than 63 hashes in a proof");
  for (std::size_t i = 0; i < proof.size(); ++i) {
    if (proof[i].size() != kHashBytes) {
      return invalid("proof hash " + std::to_string(i) + " has " + std::to_string(proof[i].size()) +
                     " bytes, not 32");
    }
  }
  return Ok{};
}

Status check_hash(const Hash& hash, std::string_view what) {
  if (hash.size() == kHashBytes) return Ok{};
  return invalid(std::string(what) + " has " + std::to_string(hash.size()) + " bytes, not 32");
}

struct Walk {
  Hash fr;  // What the proof makes of the old root.
  Hash sr;  // What it makes of the new one.
};

// Steps 3 to 7 of RFC 9162 2.1.4.2 over a proof whose first node is written. Nothing if the proof
// has too many or too few hashes for these sizes. 0 < old_size < size.
std::optional<Walk> walk_consistency(std::uint64_t old_size, std::uint64_t size,
                                     const Proof& full_proof) {
  if (full_proof.empty()) return std::nullopt;
  std::uint64_t fn = old_size - 1;
  std::uint64_t sn = size - 1;
  while ((fn & 1) != 0) {
    fn >>= 1;
    sn >>= 1;
  }
  Walk walk{full_proof.front(), full_proof.front()};
  for (std::size_t i = 1; i < full_proof.size(); ++i) {
    const Hash& c = full_proof[i];
    if (sn == 0) return std::nullopt;
    if ((fn & 1) != 0 || fn == sn) {
      walk.fr = node_hash(c, walk.fr);
      walk.sr = node_hash(c, walk.sr);
      while ((fn & 1) == 0 && fn != 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      walk.sr = node_hash(walk.sr, c);
    }
    fn >>= 1;
    sn >>= 1;
  }
  if (sn != 0) return std::nullopt;
  return walk;
}

}  // namespace

Hash leaf_hash(std::string_view entry) {
  Sha256 hash;
  hash.update(std::string_view("\x00", 1));
  hash.update(entry);
  return hash.finish();
}

Hash node_hash(const Hash& left, const Hash& right) {
  std::string bytes;
  bytes.reserve(1 + 2 * kHashBytes);
  bytes.push_back('\x01');
  bytes += left;
  bytes += right;
  return sha256(bytes);
}

Hash empty_root() {
  return sha256("");
}

Result<Hash> root(const NodeReader& nodes, std::uint64_t size) {
  if (size == 0) return empty_root();
  if (size > kTreeSizeMax) return invalid("tree size above 2^63-1");
  return range_hash(nodes, 0, size);
}

Result<Proof> inclusion_proof(const NodeReader& nodes, std::uint64_t index, std::uint64_t size) {
  if (index >= size)
    return invalid("no leaf " + std::to_string(index) + " in a tree of " + std::to_string(size));
  if (size > kTreeSizeMax) return invalid("tree size above 2^63-1");
  Proof proof;
  auto built = append_path(nodes, index, 0, size, proof);
  if (!built) return std::move(built).error();
  return proof;
}

Result<Proof> consistency_proof(const NodeReader& nodes, std::uint64_t old_size,
                                std::uint64_t size) {
  if (old_size == 0 || old_size > size || size > kTreeSizeMax) {
    return invalid("no consistency proof from " + std::to_string(old_size) + " to " +
                   std::to_string(size));
  }
  Proof proof;
  auto built = append_subproof(nodes, old_size, 0, size, true, proof);
  if (!built) return std::move(built).error();
  return proof;
}

Result<Proof> full_consistency_proof(const NodeReader& nodes, std::uint64_t old_size,
                                     std::uint64_t size) {
  if (old_size == 0 || old_size >= size || size > kTreeSizeMax) {
    return invalid("no full consistency proof from " + std::to_string(old_size) + " to " +
                   std::to_string(size));
  }
  Proof proof;
  auto built = append_subproof(nodes, old_size, 0, size, false, proof);
  if (!built) return std::move(built).error();
  return proof;
}

Status verify_inclusion(std::uint64_t index, std::uint64_t size, const Hash& leaf,
                        const Proof& proof, const Hash& root) {
  if (auto ok = check_hashes(proof); !ok) return ok;
  if (auto ok = check_hash(leaf, "leaf hash"); !ok) return ok;
  if (auto ok = check_hash(root, "root"); !ok) return ok;
  if (index >= size) return invalid("leaf index is not below the tree size");

  std::uint64_t fn = index;
  std::uint64_t sn = size - 1;
  Hash r = leaf;
  for (const Hash& p : proof) {
    if (sn == 0) return invalid("inclusion proof is too long");
    if ((fn & 1) != 0 || fn == sn) {
      r = node_hash(p, r);
      while ((fn & 1) == 0 && fn != 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      r = node_hash(r, p);
    }
    fn >>= 1;
    sn >>= 1;
  }
  if (sn != 0) return invalid("inclusion proof is too short");
  if (r != root) return invalid("inclusion proof does not lead to the root");
  return Ok{};
}

Status verify_consistency(std::uint64_t old_size, std::uint64_t size, const Proof& proof,
                          const Hash& old_root, const Hash& root) {
  if (auto ok = check_hashes(proof); !ok) return ok;
  if (auto ok = check_hash(old_root, "old root"); !ok) return ok;
  if (auto ok = check_hash(root, "root"); !ok) return ok;
  if (old_size == 0) return invalid("no consistency with the empty tree");
  if (old_size > size) return invalid("the old tree is larger than the new one");
  if (old_size == size) {
    if (!proof.empty()) return invalid("a consistency proof between equal sizes is empty");
    if (old_root != root) return invalid("two roots for one size");
    return Ok{};
  }
  if (proof.empty()) return invalid("consistency proof is empty");

  Proof full;
  if (std::has_single_bit(old_size)) full.push_back(old_root);
  full.insert(full.end(), proof.begin(), proof.end());
  const auto walk = walk_consistency(old_size, size, full);
  if (!walk) return invalid("consistency proof has the wrong length");
  if (walk->fr != old_root) return invalid("consistency proof does not lead to the old root");
  if (walk->sr != root) return invalid("consistency proof does not lead to the root");
  return Ok{};
}

bool contradicts(std::uint64_t old_size, std::uint64_t size, const Proof& full_proof,
                 const Hash& old_root, const Hash& root) {
  // The first node of the full form may make it one longer than a proof may be otherwise.
  if (full_proof.size() > kProofHashesMax + 1) return false;
  for (const Hash& hash : full_proof) {
    if (hash.size() != kHashBytes) return false;
  }
  if (old_root.size() != kHashBytes || root.size() != kHashBytes) return false;
  if (old_size == 0 || old_size > size) return false;
  if (old_size == size) return full_proof.empty() && old_root != root;
  const auto walk = walk_consistency(old_size, size, full_proof);
  return walk && walk->sr == root && walk->fr != old_root;
}

void Frontier::append(const Hash& leaf) {
  assert(leaf.size() == kHashBytes);
  Hash hash = leaf;
  // One peak per set bit of the size; a carry merges the two smallest.
  for (auto bits = size_; (bits & 1) != 0; bits >>= 1) {
    hash = node_hash(peaks_.back(), hash);
    peaks_.pop_back();
  }
  peaks_.push_back(std::move(hash));
  ++size_;
}

Hash Frontier::root() const {
  if (peaks_.empty()) return empty_root();
  Hash hash = peaks_.back();
  for (auto peak = peaks_.rbegin() + 1; peak != peaks_.rend(); ++peak) {
    hash = node_hash(*peak, hash);
  }
  return hash;
}

NodeReader node_reader(const std::vector<Hash>& leaves) {
  return [&leaves](int level, std::uint64_t index) -> Result<Hash> {
    const auto count = std::uint64_t{1} << level;
    const auto begin = index << level;
    if (begin + count > leaves.size()) return Error{Errc::not_found, "no such node"};
    Frontier frontier;
    for (auto i = begin; i < begin + count; ++i) frontier.append(leaves[i]);
    return frontier.root();
  };
}

}  // namespace vouch::merkle
