// SPDX-License-Identifier: Apache-2.0
#include "store/disk.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>

#include "core/file.h"
#include "store/fake_disk.h"
#include "store/layout.h"
#include "store/test_directory.h"

using namespace vouch;
using namespace vouch::store;

namespace {

// The contract that every Disk keeps.
void check_contract(Disk& disk) {
  REQUIRE(disk.put({{"a/b/c", "one"}, {"checkpoint", "two"}}));
  CHECK(disk.get("a/b/c", 3).value() == "one");
  CHECK(disk.get("a/b/c", 2).error().code == Errc::too_large);
  CHECK(disk.get("a/b/none", 9).error().code == Errc::not_found);
  CHECK(disk.get("none/at/all", 9).error().code == Errc::not_found);

  REQUIRE(disk.put({{"checkpoint", "three"}}));
  CHECK(disk.get("checkpoint", 99).value() == "three");

  CHECK(disk.has("a/b/c").value());
  CHECK_FALSE(disk.has("a/b/none").value());
  CHECK_FALSE(disk.has("none/at/all").value());
  CHECK_FALSE(disk.has("checkpoint/x").value());

  REQUIRE(disk.put_unsynced({"a/x", ""}));
  CHECK_FALSE(disk.has("a/x").value());  // Half of a file is none.
  REQUIRE(disk.put_unsynced({"a/b/c", "newer"}));
  CHECK(disk.get("a/b/c", 99).value() == "newer");
  CHECK(disk.get("a/x", 99).value().empty());
  REQUIRE(disk.sync());
  CHECK(disk.get("a/b/c", 99).value() == "newer");

  REQUIRE(disk.put({{"same", "1"}, {"same", "2"}}));
  CHECK(disk.get("same", 99).value() == "2");
  CHECK(disk.put({}));
}

}  // namespace

TEST_CASE("a directory keeps the contract of a disk", "[disk]") {
  const TestDirectory dir;
  auto disk = DirectoryDisk::open(dir.path());
  REQUIRE(disk);

  check_contract(**disk);

  CHECK(list_directory(dir / "tmp", 10).value().empty());
}

TEST_CASE("the disk in memory keeps the contract of a disk", "[disk]") {
  FakeDisk disk;

  check_contract(disk);
}

TEST_CASE("what a crash left in the directory for temporary files is gone after opening",
          "[disk]") {
  const TestDirectory dir;
  REQUIRE(DirectoryDisk::open(dir.path()));
  REQUIRE(write_file_durable(dir / "tmp/.tmp-old", "half a file"));

  REQUIRE(DirectoryDisk::open(dir.path()));

  CHECK(list_directory(dir / "tmp", 10).value().empty());
}

TEST_CASE("the hook hears of every step before it is taken", "[disk]") {
  const TestDirectory dir;
  std::vector<std::string> steps;
  auto disk = DirectoryDisk::open(dir.path(), [&](std::string_view step) {
    steps.emplace_back(step);
    CHECK_FALSE(file_exists(dir / "a"));
  });

  REQUIRE((*disk)->put({{"a", "x"}}));

  CHECK(steps == std::vector<std::string>{"write a", "rename " + (dir / "a")});
}

TEST_CASE("names of files are those of the format", "[layout]") {
  const std::string digest(64, 'a');
  CHECK(layout::blob_path(digest) == "blobs/sha256/aa/" + digest + ".zst");
  CHECK(layout::bundle_path("id", 12) == "bundles/id/12.json.zst");
  CHECK(layout::fork_path("id", 0, digest) == "forks/id/0." + digest + ".json.zst");
  CHECK(layout::checkpoint_path(256) == "checkpoints/256");
  CHECK(layout::statement_path(digest) == "statements/" + digest + ".json");
}
