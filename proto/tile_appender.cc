// SPDX-License-Identifier: Apache-2.0
#include <cassert>
#include <utility>

#include "proto/tile.h"

namespace vouch::tile {
namespace {

constexpr int kLevelBits = 8;

}  // namespace

Result<Appender> Appender::open(const TileReader& reader, std::uint64_t size,
                                const merkle::Hash& root) {
  TileTree tree(reader, size);
  auto found = tree.root();
  if (!found) return std::move(found).error().in("read the log's tiles");
  if (*found != root) {
    return Error{Errc::corrupt, "the log's tiles do not give the root of its state"};
  }
  Appender appender;
  appender.size_ = size;
  for (int level = 0; level * kLevelBits < 64 && (size >> (level * kLevelBits)) > 0; ++level) {
    const auto count = size >> (level * kLevelBits);
    auto& edge = appender.edges_.emplace_back();
    for (auto i = count - count % kTileWidth; i < count; ++i) {
      auto hash = tree.node(level * kLevelBits, i);
      if (!hash) return std::move(hash).error();
      edge.push_back(*std::move(hash));
    }
  }
  for (auto i = size - size % kTileWidth; i < size; ++i) {
    auto entry = tree.entry(i);
    if (!entry) return std::move(entry).error();
    appender.entries_.push_back(*std::move(entry));
  }
  // The entries are not covered by the root above; their level 0 is.
  for (std::size_t i = 0; i < appender.entries_.size(); ++i) {
    if (merkle::leaf_hash(appender.entries_[i]) != appender.edges_.front()[i]) {
      return Error{Errc::corrupt, "the log's last entry bundle does not match its tile"};
    }
  }
  return appender;
}

merkle::Hash Appender::root() const {
  // The frontier of the tree, from the highest level down: full tiles above stand in the edges.
  if (size_ == 0) return merkle::empty_root();
  merkle::Hash hash;
  for (const auto& edge : edges_) {
    // From the lowest level up: this level's edge, to the left of all that is below it.
    auto count = edge.size();
    std::size_t end = count;
    for (int bit = 0; count > 0; ++bit, count >>= 1) {
      if ((count & 1) == 0) continue;
      const auto width = std::size_t{1} << bit;
      merkle::Frontier peak;
      for (auto i = end - width; i < end; ++i) peak.append(edge[i]);
      end -= width;
      hash = hash.empty() ? peak.root() : merkle::node_hash(peak.root(), hash);
    }
  }
  return hash;
}

std::pair<Appender, Growth> Appender::append(const std::vector<std::string>& entries) const {
  Appender next = *this;
  Growth growth;
  std::vector<TileFile> entry_files;
  // Emits the tile that `hashes` (1 to 256 of them) make up.
  const auto emit = [&growth](int level, std::uint64_t index,
                              const std::vector<merkle::Hash>& hashes) {
    growth.files.push_back({tile_path({false, level, index, hashes.size()}), write_hashes(hashes)});
  };

  std::vector<bool> grew;
  for (const auto& entry : entries) {
    assert(entry.size() <= kEntryBytesMax);
    next.entries_.push_back(entry);
    if (next.entries_.size() == kTileWidth) {
      entry_files.push_back({tile_path({true, 0, next.size_ / kTileWidth, kTileWidth}),
                             write_entries(next.entries_)});
      next.entries_.clear();
    }
    merkle::Hash hash = merkle::leaf_hash(entry);
    for (std::size_t level = 0;; ++level) {
      if (next.edges_.size() == level) next.edges_.emplace_back();
      if (grew.size() <= level) grew.resize(level + 1);
      auto& edge = next.edges_[level];
      edge.push_back(std::move(hash));
      grew[level] = true;
      if (edge.size() < kTileWidth) break;
      emit(static_cast<int>(level), next.size_ >> (kLevelBits * (level + 1)), edge);
      merkle::Frontier tile;
      for (const auto& leaf : edge) tile.append(leaf);
      hash = tile.root();
      edge.clear();
    }
    ++next.size_;
  }
  for (std::size_t level = 0; level < grew.size(); ++level) {
    if (!grew[level] || next.edges_[level].empty()) continue;
    emit(static_cast<int>(level), next.size_ >> (kLevelBits * (level + 1)), next.edges_[level]);
  }
  if (!entries.empty() && !next.entries_.empty()) {
    entry_files.push_back({tile_path({true, 0, next.size_ / kTileWidth, next.entries_.size()}),
                           write_entries(next.entries_)});
  }
  growth.files.insert(growth.files.begin(), std::make_move_iterator(entry_files.begin()),
                      std::make_move_iterator(entry_files.end()));
  growth.size = next.size_;
  growth.root = next.root();
  return {std::move(next), std::move(growth)};
}

}  // namespace vouch::tile
