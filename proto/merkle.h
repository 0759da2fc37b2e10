// SPDX-License-Identifier: Apache-2.0
// The Merkle tree of RFC 6962 over SHA-256: hashes, roots, proofs and their verification
// (docs/formats/log.md). A tree is given by a function that returns the hash of a full, aligned
// subtree; where those come from (memory, tiles on a disk, tiles over HTTP) is the caller's affair.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace vouch::merkle {

using Hash = std::string;  // 32 raw bytes; everything that came from outside is checked to be so.
using Proof = std::vector<Hash>;

inline constexpr std::size_t kHashBytes = 32;
inline constexpr std::size_t kProofHashesMax = 63;
inline constexpr std::uint64_t kTreeSizeMax = (std::uint64_t{1} << 63) - 1;

Hash leaf_hash(std::string_view entry);               // SHA-256(0x00 || entry)
Hash node_hash(const Hash& left, const Hash& right);  // SHA-256(0x01 || left || right)
Hash empty_root();                                    // SHA-256("")

// The hash of leaves [index * 2^level, (index + 1) * 2^level): level 0 is a leaf hash. Called only
// for subtrees that lie wholly inside the tree.
using NodeReader = std::function<Result<Hash>(int level, std::uint64_t index)>;

// The root of the first `size` leaves; empty_root() for 0.
Result<Hash> root(const NodeReader& nodes, std::uint64_t size);
// The audit path of leaf `index` in the tree of `size` leaves, the leaf's sibling first.
// Errc::invalid if index >= size.
Result<Proof> inclusion_proof(const NodeReader& nodes, std::uint64_t index, std::uint64_t size);
// The consistency proof from `old_size` to `size` as RFC 9162 2.1.4.1 writes it (empty if equal).
// Errc::invalid if old_size is 0 or above size.
Result<Proof> consistency_proof(const NodeReader& nodes, std::uint64_t old_size,
                                std::uint64_t size);
// The same with its first node always written, also where old_size is a power of two: the form in
// which a contradiction is shown. Errc::invalid unless 0 < old_size < size.
Result<Proof> full_consistency_proof(const NodeReader& nodes, std::uint64_t old_size,
                                     std::uint64_t size);

// RFC 9162 2.1.3.2. Ok, or Errc::invalid saying what does not hold. Every hash must be 32 bytes,
// the proof at most 63 of them; index >= size never holds.
Status verify_inclusion(std::uint64_t index, std::uint64_t size, const Hash& leaf,
                        const Proof& proof, const Hash& root);
// RFC 9162 2.1.4.2. old_size 0 is an error (the empty tree is the caller's case); equal sizes hold
// with an empty proof and equal roots only.
Status verify_consistency(std::uint64_t old_size, std::uint64_t size, const Proof& proof,
                          const Hash& old_root, const Hash& root);

// True if `full_proof` (the form of full_consistency_proof) shows that the tree with `root` at
// `size` has another prefix of `old_size` leaves than the one with `old_root`: its walk ends in
// `root`, but not in `old_root`. With two well signed checkpoints that convicts the log. Equal
// sizes contradict iff the roots differ; the proof must then be empty. Anything malformed, or a
// walk that does not end in `root`, proves nothing: false.
bool contradicts(std::uint64_t old_size, std::uint64_t size, const Proof& full_proof,
                 const Hash& old_root, const Hash& root);

// A tree that grows by one leaf at a time and remembers only the right edge: O(log n) memory.
class Frontier {
 public:
  void append(const Hash& leaf);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] Hash root() const;

 private:
  std::uint64_t size_ = 0;
  std::vector<Hash> peaks_;  // Roots of the full subtrees, the largest first.
};

// The node reader of a tree held in memory as its leaf hashes. The vector must outlive it.
NodeReader node_reader(const std::vector<Hash>& leaves);

}  // namespace vouch::merkle
