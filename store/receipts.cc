// SPDX-License-Identifier: Apache-2.0
#include "store/receipts.h"

#include <algorithm>
#include <utility>

#include "proto/note.h"
#include "proto/receipt.h"
#include "store/layout.h"

namespace vouch::store {
namespace {

constexpr std::size_t kNodesMax = 1u << 17;  // About 12 MiB; then they are read again.
constexpr int kTileLevels = 8;               // Tree levels that one tile spans.

std::uint64_t node_key(int level, std::uint64_t index) {
  return static_cast<std::uint64_t>(level) << 56 | index;
}

}  // namespace

void Receipts::publish(std::string note, std::uint64_t size,
                       const std::vector<tile::TileFile>& grown) {
  const std::lock_guard lock(mutex_);
  if (nodes_.size() > kNodesMax) nodes_.clear();
  for (const auto& file : grown) {
    const auto id = tile::parse_tile_path(file.path);
    if (!id || id->entries) continue;
    const auto hashes = tile::parse_hashes(file.bytes, id->width);
    if (hashes) remember(*id, *hashes);
  }
  note_ = std::move(note);
  size_ = size;
}

std::string Receipts::checkpoint() const {
  const std::lock_guard lock(mutex_);
  return note_;
}

std::uint64_t Receipts::size() const {
  const std::lock_guard lock(mutex_);
  return size_;
}

void Receipts::remember(const tile::TileId& id, const std::vector<merkle::Hash>& hashes) {
  const std::uint64_t first = id.index * tile::kTileWidth;
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    nodes_.insert_or_assign(node_key(id.level * kTileLevels, first + i), hashes[i]);
  }
}

// The tile as the head has it: partial at the right edge, else full. A store may have only the full
// one, once the tile was completed by leaves above the head.
Result<std::string> Receipts::read_tile(tile::TileId id) {
  const std::uint64_t wide = size_ >> (id.entries ? 0 : id.level * kTileLevels);
  id.width = std::min(tile::kTileWidth, wide - std::min(wide, id.index * tile::kTileWidth));
  if (id.width == 0) return Error{Errc::not_found, "not in the tree"};
  const std::size_t bytes_max = id.entries ? tile::kEntriesBytesMax : tile::kTileBytesMax;
  return disk_.get(tile::tile_path(id), bytes_max);
}

Status Receipts::remember_tile(int level, std::uint64_t tile_index) {
  const tile::TileId id{false, level, tile_index, tile::kTileWidth};
  auto bytes = read_tile(id);
  if (!bytes) return std::move(bytes).error();
  auto hashes = tile::parse_hashes(*bytes, bytes->size() / merkle::kHashBytes);
  if (!hashes) return std::move(hashes).error();
  remember(id, *hashes);
  return Ok{};
}

Result<merkle::Hash> Receipts::node(int level, std::uint64_t index) {
  if (const auto found = nodes_.find(node_key(level, index)); found != nodes_.end()) {
    return found->second;
  }
  if (level % kTileLevels == 0) {
    auto read = remember_tile(level / kTileLevels, index / tile::kTileWidth);
    if (!read) return std::move(read).error();
    const auto found = nodes_.find(node_key(level, index));
    if (found == nodes_.end()) return Error{Errc::corrupt, "a tile is shorter than its name says"};
    return found->second;
  }
  auto left = node(level - 1, index * 2);
  if (!left) return left;
  auto right = node(level - 1, index * 2 + 1);
  if (!right) return right;
  auto hash = merkle::node_hash(*left, *right);
  nodes_.emplace(node_key(level, index), hash);
  return hash;
}

Result<std::string> Receipts::receipt(std::uint64_t number, const std::string& entry) {
  if (number < base_) return earlier_receipt(number);
  const std::uint64_t leaf = number - base_;
  const std::lock_guard lock(mutex_);
  if (leaf >= size_) return Error{Errc::not_found, "not under the checkpoint yet"};
  auto proof = merkle::inclusion_proof(
      [this](int level, std::uint64_t index) { return node(level, index); }, leaf, size_);
  if (!proof) return std::move(proof).error().in("receipt");
  return vouch::receipt::write({entry, leaf, *std::move(proof), note_});
}

Result<std::string> Receipts::receipt(std::uint64_t number) {
  if (number < base_) return earlier_receipt(number);
  auto found = entry(number);
  if (!found) return found;
  return receipt(number, *found);
}

Result<std::uint64_t> Receipts::repin_below() {
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < earlier_.size(); ++i) {
    const auto note = disk_.get(layout::succession_path(earlier_[i].name), note::kNoteBytesMax);
    if (note) continue;
    if (note.error().code != Errc::not_found) return note.error();
    below = i + 1 < earlier_.size() ? earlier_[i + 1].base : base_;
  }
  return below;
}

const EarlierLog& Receipts::log_of(std::uint64_t number) const {
  const auto after =
      std::upper_bound(earlier_.begin(), earlier_.end(), number,
                       [](std::uint64_t value, const EarlierLog& log) { return value < log.base; });
  return *(after - 1);  // The first begins with 0.
}

// For few requests: reads its tiles anew each time.
tile::TileTree Receipts::tree_of(const EarlierLog& log) {
  const auto read = [this, folder = "logs/" + log.name + "/"](const std::string& path) {
    return disk_.get(folder + path, tile::kEntriesBytesMax);
  };
  return {read, log.size};
}

Result<std::string> Receipts::earlier_entry(std::uint64_t number) {
  const auto& log = log_of(number);
  return tree_of(log).entry(number - log.base);
}

Result<std::string> Receipts::earlier_receipt(std::uint64_t number) {
  const auto& log = log_of(number);
  auto tree = tree_of(log);
  auto entry = tree.entry(number - log.base);
  if (!entry) return std::move(entry).error().in("earlier log");
  auto proof = tree.inclusion(number - log.base);
  if (!proof) return std::move(proof).error().in("earlier log");
  auto note = disk_.get("logs/" + log.name + "/checkpoint", note::kNoteBytesMax);
  if (!note) return note;
  return vouch::receipt::write(
      {*std::move(entry), number - log.base, *std::move(proof), *std::move(note)});
}

Result<std::string> Receipts::consistency(std::uint64_t old_size) {
  const std::lock_guard lock(mutex_);
  auto proof = merkle::consistency_proof(
      [this](int level, std::uint64_t index) { return node(level, index); }, old_size, size_);
  if (!proof) return std::move(proof).error().in("consistency");
  return vouch::receipt::write_consistency({old_size, *std::move(proof)});
}

Result<std::string> Receipts::entry(std::uint64_t number) {
  if (number < base_) return earlier_entry(number);
  const std::uint64_t leaf = number - base_;
  const std::lock_guard lock(mutex_);
  const tile::TileId id{true, 0, leaf / tile::kTileWidth, tile::kTileWidth};
  if (leaf >= size_) return Error{Errc::not_found, "not under the checkpoint yet"};
  auto bytes = read_tile(id);
  if (!bytes) return bytes;
  const std::uint64_t width = std::min(tile::kTileWidth, size_ - id.index * tile::kTileWidth);
  auto entries = tile::parse_entries(*bytes, width);
  if (!entries) return std::move(entries).error();
  return std::move((*entries)[leaf % tile::kTileWidth]);
}

}  // namespace vouch::store
