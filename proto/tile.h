// SPDX-License-Identifier: Apache-2.0
// C2SP tlog-tiles (docs/formats/log.md): the tree's hashes in files of 256, and the entries in
// bundles of 256. Paths, contents, reading a tree from tiles, and what to write when it grows.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "proto/merkle.h"

namespace vouch::tile {

inline constexpr std::uint64_t kTileWidth = 256;
inline constexpr int kTileLevelMax = 63;
inline constexpr std::size_t kEntryBytesMax = 65535;  // Our own leaves are at most 4,096 bytes.
inline constexpr std::size_t kTileBytesMax = kTileWidth * merkle::kHashBytes;
inline constexpr std::size_t kEntriesBytesMax = kTileWidth * (2 + kEntryBytesMax);

// One tile: of hashes (level 0 to 63), or of entries.
struct TileId {
  bool entries = false;
  int level = 0;  // 0 for entries.
  std::uint64_t index = 0;
  std::uint64_t width = kTileWidth;  // 256 = full; 1 to 255 = partial.

  bool operator==(const TileId&) const = default;
};

// "tile/0/x001/x234/067", "tile/entries/000.p/7".
std::string tile_path(const TileId& id);
// The only spelling of a tile, and nothing else: what a store may serve and a client may ask for.
Result<TileId> parse_tile_path(std::string_view path);

// The tiles of the tree of `size` leaves: each full one and, per level, the partial one, hashes
// first, then entries. Those for which `from_size` already had the very same tile are left out.
std::vector<TileId> tiles_of(std::uint64_t from_size, std::uint64_t size);

std::string write_hashes(const std::vector<merkle::Hash>& hashes);
Result<std::vector<merkle::Hash>> parse_hashes(std::string_view bytes, std::uint64_t width);
// Each entry after its big-endian uint16 length. Entries must be <= kEntryBytesMax (assert).
std::string write_entries(const std::vector<std::string>& entries);
Result<std::vector<std::string>> parse_entries(std::string_view bytes, std::uint64_t width);

// Reads the bytes of the file at a tile's path. Errc::not_found lets the caller try the full tile
// in place of a partial one.
using TileReader = std::function<Result<std::string>(const std::string& path)>;

// A tree of `size` leaves read from tiles. Keeps the tiles that it read. Not for several threads.
class TileTree {
 public:
  TileTree(TileReader reader, std::uint64_t size);
  ~TileTree();
  TileTree(TileTree&&) noexcept;

  [[nodiscard]] std::uint64_t size() const;
  Result<merkle::Hash> node(int level, std::uint64_t index);
  Result<std::string> entry(std::uint64_t index);
  Result<merkle::Hash> root();  // Of the whole size.
  Result<merkle::Proof> inclusion(std::uint64_t index);
  Result<merkle::Proof> consistency(std::uint64_t old_size);
  Result<merkle::Proof> full_consistency(std::uint64_t old_size);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct TileFile {
  std::string path;
  std::string bytes;
};

// What a log of `size` leaves becomes when `entries` are appended. `files` are all tiles and entry
// bundles that are new or whose width grew, in an order in which they may be written: no tile
// before those below it.
struct Growth {
  std::uint64_t size = 0;
  merkle::Hash root;
  std::vector<TileFile> files;
};

// Keeps the right edge of a log in memory, so that appending reads nothing back from the disk.
class Appender {
 public:
  // Reads the right edge of the tree of `size` leaves. Errc::corrupt if the tiles do not give
  // `root`: a log whose tiles do not match its state must not grow.
  static Result<Appender> open(const TileReader& reader, std::uint64_t size,
                               const merkle::Hash& root);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] merkle::Hash root() const;
  // Computes the growth without changing this object; a batch that loses a race is thrown away.
  [[nodiscard]] std::pair<Appender, Growth> append(const std::vector<std::string>& entries) const;

 private:
  Appender() = default;
  std::uint64_t size_ = 0;
  std::vector<std::vector<merkle::Hash>> edges_;  // Per tile level: hashes of the partial tile.
  std::vector<std::string> entries_;              // Of the partial entry bundle.
};

}  // namespace vouch::tile
