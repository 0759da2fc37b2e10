// SPDX-License-Identifier: Apache-2.0
#include "proto/tile.h"

#include <catch2/catch.hpp>
#include <map>

#include "core/encoding.h"
#include "proto/vectors_test.h"

namespace vouch::tile {
namespace {

using Disk = std::map<std::string, std::string>;

TileReader reader_of(const Disk& disk) {
  return [&disk](const std::string& path) -> Result<std::string> {
    const auto file = disk.find(path);
    if (file == disk.end()) return Error{Errc::not_found, "no " + path};
    return file->second;
  };
}

std::vector<std::string> entries_of(std::uint64_t first, std::uint64_t count) {
  std::vector<std::string> entries;
  for (auto i = first; i < first + count; ++i) entries.push_back("entry " + std::to_string(i));
  return entries;
}

merkle::Hash root_of(std::uint64_t size) {
  merkle::Frontier frontier;
  for (const auto& entry : entries_of(0, size)) frontier.append(merkle::leaf_hash(entry));
  return frontier.root();
}

// An empty log that grew by the given batches.
Appender grow(Disk& disk, const std::vector<std::uint64_t>& batches) {
  auto appender = *Appender::open(reader_of(disk), 0, merkle::empty_root());
  for (const auto count : batches) {
    auto [next, growth] = appender.append(entries_of(appender.size(), count));
    for (auto& file : growth.files) disk[file.path] = std::move(file.bytes);
    CHECK(growth.root == root_of(growth.size));
    appender = std::move(next);
  }
  return appender;
}

}  // namespace

TEST_CASE("tile paths are those of tlog-tiles", "[tile]") {
  CHECK(tile_path({false, 0, 1234067, 256}) == "tile/0/x001/x234/067");
  CHECK(tile_path({false, 3, 5, 9}) == "tile/3/005.p/9");
  CHECK(tile_path({true, 0, 1000, 256}) == "tile/entries/x001/000");
  CHECK(tile_path({true, 0, 0, 1}) == "tile/entries/000.p/1");
}

TEST_CASE("a tile path has one spelling", "[tile]") {
  const TileId id = GENERATE(TileId{false, 0, 1234067, 256}, TileId{false, 63, 0, 255},
                             TileId{true, 0, 999, 1}, TileId{true, 0, 1000, 256});
  const auto parsed = parse_tile_path(tile_path(id));
  REQUIRE(parsed);
  CHECK(*parsed == id);

  const auto bad =
      GENERATE(as<std::string>{}, "", "tile", "tile/0", "tile/0/", "tile/0/00", "tile/0/0000",
               "tile/64/000", "tile/00/000", "tile/0/x000/001", "tile/0/000.p/0",
               "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000/", "tile/0/001/002",
               "tile/0/x001", "/tile/0/000", "tile/0/000.p/", "tile/0/../000", "tile/-1/000",
               "tile/entries/000.p/+1", "tile/0/x999/x999/x999/x999/x999/x999/x999/x999/999");
  CAPTURE(bad);
  CHECK_FALSE(parse_tile_path(bad));
}

TEST_CASE("growth writes exactly the tiles of the new size", "[tile]") {
  Disk disk;
  grow(disk, {1, 254, 1, 1, 300, 66000});

  // Bytes on disk for each tile of the final size, read as a tree, give the root.
  CHECK(*TileTree(reader_of(disk), 66557).root() == root_of(66557));
  for (const auto& id : tiles_of(0, 66557)) {
    CAPTURE(tile_path(id));
    CHECK(disk.contains(tile_path(id)));
  }
  CHECK(disk.contains("tile/2/000.p/1"));
  CHECK(disk.contains("tile/1/001.p/3"));
  CHECK(disk.contains("tile/1/000"));
  CHECK(disk.at("tile/0/000").size() == 8192);
  CHECK_FALSE(disk.contains("tile/3/000.p/0"));
}

TEST_CASE("what has not changed is not named again", "[tile]") {
  const auto grown = tiles_of(300, 301);
  REQUIRE(grown.size() == 2);
  CHECK(grown[0] == TileId{false, 0, 1, 45});
  CHECK(grown[1] == TileId{true, 0, 1, 45});
  CHECK(tiles_of(300, 300).empty());
  CHECK(tiles_of(255, 256) ==
        std::vector<TileId>{{false, 0, 0, 256}, {false, 1, 0, 1}, {true, 0, 0, 256}});
}

TEST_CASE("an old size reads from the full tiles that replaced its partial ones", "[tile]") {
  Disk disk;
  grow(disk, {700});
  CHECK(*TileTree(reader_of(disk), 100).root() == root_of(100));
  CHECK(TileTree(reader_of(disk), 511).entry(510).value_or("") == "entry 510");
  CHECK_FALSE(TileTree(reader_of(disk), 511).entry(511));
}

TEST_CASE("proofs come out of tiles", "[tile]") {
  Disk disk;
  grow(disk, {700});
  TileTree tree(reader_of(disk), 700);
  for (const auto index : {0u, 255u, 256u, 511u, 699u}) {
    const auto proof = tree.inclusion(index);
    REQUIRE(proof);
    CHECK(merkle::verify_inclusion(index, 700, merkle::leaf_hash("entry " + std::to_string(index)),
                                   *proof, root_of(700)));
  }
  for (const auto old_size : {1u, 256u, 300u, 512u, 699u}) {
    const auto proof = tree.consistency(old_size);
    REQUIRE(proof);
    CHECK(merkle::verify_consistency(old_size, 700, *proof, root_of(old_size), root_of(700)));
  }
}

TEST_CASE("an appender opens a log again and goes on", "[tile]") {
  Disk disk;
  const auto size = GENERATE(as<std::uint64_t>{}, 0, 1, 255, 256, 257, 512, 700);
  CAPTURE(size);
  grow(disk, {size});

  auto again = Appender::open(reader_of(disk), size, root_of(size));
  REQUIRE(again);
  CHECK(again->root() == root_of(size));
  auto [next, growth] = again->append(entries_of(size, 3));

  CHECK(growth.root == root_of(size + 3));
  CHECK(again->size() == size);  // The one it came from is as it was.
}

TEST_CASE("an appender refuses tiles or entries that do not fit its state", "[tile]") {
  Disk disk;
  grow(disk, {300});
  auto root = root_of(300);
  REQUIRE(Appender::open(reader_of(disk), 300, root));

  SECTION("another root") {
    root = root_of(299);
  }
  SECTION("a tile's bit flipped") {
    disk["tile/0/001.p/44"][7] ^= 1;
  }
  SECTION("a tile of a higher level changed") {
    disk["tile/1/000.p/1"][31] ^= 1;
  }
  SECTION("an entry's byte changed") {
    disk["tile/entries/001.p/44"][4] ^= 1;
  }
  SECTION("a tile cut short") {
    disk["tile/0/001.p/44"].pop_back();
  }
  SECTION("a tile gone") {
    disk.erase("tile/0/001.p/44");
  }

  CHECK_FALSE(Appender::open(reader_of(disk), 300, root));
}

TEST_CASE("hash tiles and entry bundles of the wrong length are refused", "[tile]") {
  CHECK(parse_hashes(std::string(64, 'x'), 2));
  CHECK_FALSE(parse_hashes(std::string(63, 'x'), 2));
  CHECK_FALSE(parse_hashes(std::string(65, 'x'), 2));

  const auto bytes = write_entries({"", "ab"});
  CHECK(bytes == std::string("\0\0\0\2ab", 6));
  REQUIRE(parse_entries(bytes, 2));
  CHECK(parse_entries(bytes, 2)->at(1) == "ab");
  CHECK_FALSE(parse_entries(bytes, 1));
  CHECK_FALSE(parse_entries(bytes, 3));
  CHECK_FALSE(parse_entries(bytes.substr(0, 5), 2));
  CHECK_FALSE(parse_entries(bytes + std::string(1, '\0'), 2));
}

TEST_CASE("the fifteen sizes of tessera's test log recompute", "[tile]") {
  const auto top = vectors::directory() / "tessera/testdata/log";
  if (!vectors::read(top / "checkpoint")) return;
  const TileReader reader = [&](const std::string& path) -> Result<std::string> {
    std::ifstream file(top / path, std::ios::binary);
    if (!file) return Error{Errc::not_found, path};
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  for (std::uint64_t size = 1; size <= 15; ++size) {
    CAPTURE(size);
    const auto checkpoint = vectors::read(top / ("checkpoint." + std::to_string(size)));
    REQUIRE(checkpoint);
    const auto second = checkpoint->find('\n', checkpoint->find('\n') + 1);
    const auto text = checkpoint->substr(second + 1, 44);
    TileTree tree(reader, size);
    const auto root = tree.root();
    REQUIRE(root);
    CHECK(base64_encode(*root) == text);
    CHECK(merkle::leaf_hash(*tree.entry(size - 1)) == *tree.node(0, size - 1));
  }
}

}  // namespace vouch::tile
