// SPDX-License-Identifier: Apache-2.0
#include "proto/tile.h"

#include <bit>
#include <cassert>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/digest.h"

namespace vouch::tile {
namespace {

constexpr int kLevelBits = 8;  // A tile spans 8 levels of the tree.

Error invalid(std::string message) {
  return {Errc::invalid, std::move(message)};
}

// "x001/x234/067": groups of three digits, all but the last with an x.
std::string index_path(std::uint64_t index) {
  std::string path = fmt::format("{:03}", index % 1000);
  for (index /= 1000; index > 0; index /= 1000) {
    path = fmt::format("x{:03}/", index % 1000) + path;
  }
  return path;
}

// A number as we write it: digits, no leading zero, at most `max`.
std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t max) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number > max) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> parse_index(std::string_view text) {
  std::uint64_t index = 0;
  while (true) {
    const bool last = text.empty() || text.front() != 'x';
    if (!last) text.remove_prefix(1);
    if (text.size() < 3) return std::nullopt;
    unsigned group = 0;
    for (const char c : text.substr(0, 3)) {
      if (c < '0' || c > '9') return std::nullopt;
      group = group * 10 + static_cast<unsigned>(c - '0');
    }
    if (index > merkle::kTreeSizeMax / 1000) return std::nullopt;
    index = index * 1000 + group;
    text.remove_prefix(3);
    if (last) break;
    if (text.empty() || text.front() != '/') return std::nullopt;
    text.remove_prefix(1);
  }
  if (!text.empty()) return std::nullopt;
  return index;
}

// Hashes at tile level `level` (spanning 256^level leaves each) in a tree of `size` leaves.
std::uint64_t hashes_at(std::uint64_t size, int level) {
  const int shift = kLevelBits * level;
  return shift >= 64 ? 0 : size >> shift;
}

// The root of `hashes`, a power of two of them.
merkle::Hash subtree_root(const std::vector<merkle::Hash>& hashes, std::size_t begin,
                          std::size_t count) {
  merkle::Frontier frontier;
  for (auto i = begin; i < begin + count; ++i) frontier.append(hashes[i]);
  return frontier.root();
}

}  // namespace

std::string tile_path(const TileId& id) {
  std::string path = id.entries ? "tile/entries/" : fmt::format("tile/{}/", id.level);
  path += index_path(id.index);
  if (id.width != kTileWidth) path += fmt::format(".p/{}", id.width);
  return path;
}

Result<TileId> parse_tile_path(std::string_view path) {
  const auto refuse = [&] { return invalid(fmt::format("no tile path: {}", path.substr(0, 80))); };
  constexpr std::string_view kPrefix = "tile/";
  std::string_view rest = path;
  if (!rest.starts_with(kPrefix)) return refuse();
  rest.remove_prefix(kPrefix.size());
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos) return refuse();

  TileId id;
  const auto level = rest.substr(0, slash);
  rest.remove_prefix(slash + 1);
  id.entries = level == "entries";
  if (!id.entries) {
    const auto number = parse_number(level, kTileLevelMax);
    if (!number) return refuse();
    id.level = static_cast<int>(*number);
  }
  if (const auto partial = rest.find(".p/"); partial != std::string_view::npos) {
    const auto width = parse_number(rest.substr(partial + 3), kTileWidth - 1);
    if (!width || *width == 0) return refuse();
    id.width = *width;
    rest = rest.substr(0, partial);
  }
  const auto index = parse_index(rest);
  if (!index) return refuse();
  id.index = *index;
  if (tile_path(id) != path) return refuse();  // E.g. a group of zeros in front.
  return id;
}

std::vector<TileId> tiles_of(std::uint64_t from_size, std::uint64_t size) {
  std::vector<TileId> tiles;
  const auto add = [&](bool entries, int level) {
    const auto before = hashes_at(from_size, level);
    const auto now = hashes_at(size, level);
    if (now == before) return;
    for (auto index = before / kTileWidth; index * kTileWidth < now; ++index) {
      const auto width = std::min(kTileWidth, now - index * kTileWidth);
      tiles.push_back({entries, level, index, width});
    }
  };
  for (int level = 0; hashes_at(size, level) > 0; ++level) add(false, level);
  add(true, 0);
  return tiles;
}

std::string write_hashes(const std::vector<merkle::Hash>& hashes) {
  std::string bytes;
  bytes.reserve(hashes.size() * merkle::kHashBytes);
  for (const auto& hash : hashes) bytes += hash;
  return bytes;
}

Result<std::vector<merkle::Hash>> parse_hashes(std::string_view bytes, std::uint64_t width) {
  if (bytes.size() != width * merkle::kHashBytes) {
    return invalid(fmt::format("tile of {} hashes has {} bytes", width, bytes.size()));
  }
  std::vector<merkle::Hash> hashes;
  hashes.reserve(width);
  for (; !bytes.empty(); bytes.remove_prefix(merkle::kHashBytes)) {
    hashes.emplace_back(bytes.substr(0, merkle::kHashBytes));
  }
  return hashes;
}

std::string write_entries(const std::vector<std::string>& entries) {
  std::string bytes;
  for (const auto& entry : entries) {
    assert(entry.size() <= kEntryBytesMax);
    bytes.push_back(static_cast<char>(entry.size() >> 8));
    bytes.push_back(static_cast<char>(entry.size() & 0xff));
    bytes += entry;
  }
  return bytes;
}

Result<std::vector<std::string>> parse_entries(std::string_view bytes, std::uint64_t width) {
  std::vector<std::string> entries;
  while (!bytes.empty()) {
    if (bytes.size() < 2) return invalid("entry bundle ends inside a length");
    const auto length = (std::size_t{static_cast<unsigned char>(bytes[0])} << 8) |
                        static_cast<unsigned char>(bytes[1]);
    bytes.remove_prefix(2);
    if (bytes.size() < length) return invalid("entry bundle ends inside an entry");
    entries.emplace_back(bytes.substr(0, length));
    bytes.remove_prefix(length);
    if (entries.size() > width) break;
  }
  if (entries.size() != width) {
    return invalid(fmt::format("entry bundle does not hold {} entries", width));
  }
  return entries;
}

struct TileTree::State {
  TileReader reader;
  std::uint64_t size = 0;
  std::map<std::pair<int, std::uint64_t>, std::vector<merkle::Hash>> tiles;
  std::map<std::uint64_t, std::vector<std::string>> entries;

  // The partial tile of this size, or the full one that has taken its place since.
  Result<std::string> read(const TileId& id) {
    auto bytes = reader(tile_path(id));
    if (bytes || bytes.error().code != Errc::not_found || id.width == kTileWidth) return bytes;
    TileId full = id;
    full.width = kTileWidth;
    auto whole = reader(tile_path(full));
    if (!whole) return bytes;
    if (!id.entries) {
      if (whole->size() != kTileBytesMax) return invalid("full tile of the wrong length");
      return whole->substr(0, id.width * merkle::kHashBytes);
    }
    auto all = parse_entries(*whole, kTileWidth);
    if (!all) return std::move(all).error();
    all->resize(id.width);
    return write_entries(*all);
  }

  [[nodiscard]] std::uint64_t width_of(int level, std::uint64_t index) const {
    return std::min(kTileWidth, hashes_at(size, level) - index * kTileWidth);
  }

  Result<const std::vector<merkle::Hash>*> hashes(int level, std::uint64_t index) {
    const auto key = std::make_pair(level, index);
    if (const auto known = tiles.find(key); known != tiles.end()) return &known->second;
    const TileId id{false, level, index, width_of(level, index)};
    auto bytes = read(id);
    if (!bytes) return std::move(bytes).error().in(tile_path(id));
    auto parsed = parse_hashes(*bytes, id.width);
    if (!parsed) return std::move(parsed).error().in(tile_path(id));
    return &tiles.emplace(key, *std::move(parsed)).first->second;
  }
};

TileTree::TileTree(TileReader reader, std::uint64_t size) : state_(std::make_unique<State>()) {
  state_->reader = std::move(reader);
  state_->size = size;
}
TileTree::~TileTree() = default;
TileTree::TileTree(TileTree&&) noexcept = default;

std::uint64_t TileTree::size() const {
  return state_->size;
}

Result<merkle::Hash> TileTree::node(int level, std::uint64_t index) {
  if (level < 0 || level > 62 || index >= (state_->size >> level)) {
    return Error{Errc::not_found, fmt::format("no node {}/{} in the tree", level, index)};
  }
  const int tile_level = level / kLevelBits;
  const auto count = std::size_t{1} << (level % kLevelBits);
  const auto first = index * count;  // In hashes of that tile level.
  auto hashes = state_->hashes(tile_level, first / kTileWidth);
  if (!hashes) return std::move(hashes).error();
  return subtree_root(**hashes, first % kTileWidth, count);
}

Result<std::string> TileTree::entry(std::uint64_t index) {
  if (index >= state_->size) return Error{Errc::not_found, fmt::format("no entry {}", index)};
  const auto bundle = index / kTileWidth;
  auto known = state_->entries.find(bundle);
  if (known == state_->entries.end()) {
    const TileId id{true, 0, bundle, state_->width_of(0, bundle)};
    auto bytes = state_->read(id);
    if (!bytes) return std::move(bytes).error().in(tile_path(id));
    auto parsed = parse_entries(*bytes, id.width);
    if (!parsed) return std::move(parsed).error().in(tile_path(id));
    state_->entries.clear();  // Entries are read in order; one bundle is enough.
    known = state_->entries.emplace(bundle, *std::move(parsed)).first;
  }
  return known->second[index % kTileWidth];
}

Result<merkle::Hash> TileTree::root() {
  return merkle::root([this](int l, std::uint64_t i) { return node(l, i); }, state_->size);
}

Result<merkle::Proof> TileTree::inclusion(std::uint64_t index) {
  return merkle::inclusion_proof([this](int l, std::uint64_t i) { return node(l, i); }, index,
                                 state_->size);
}

Result<merkle::Proof> TileTree::consistency(std::uint64_t old_size) {
  return merkle::consistency_proof([this](int l, std::uint64_t i) { return node(l, i); }, old_size,
                                   state_->size);
}

Result<merkle::Proof> TileTree::full_consistency(std::uint64_t old_size) {
  return merkle::full_consistency_proof([this](int l, std::uint64_t i) { return node(l, i); },
                                        old_size, state_->size);
}

}  // namespace vouch::tile
