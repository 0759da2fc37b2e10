// SPDX-License-Identifier: Apache-2.0
#include "store/fsck.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <future>
#include <map>
#include <string>
#include <vector>

#include "core/file.h"
#include "proto/signing_key.h"
#include "store/commands.h"
#include "store/committer.h"
#include "store/test_store.h"
#include "store/tree_log.h"

using namespace vouch;
using namespace vouch::store;

namespace {

// A store with a full tile of entries, some blobs, and a fork.
struct Checked {
  TestStore store;
  TestAgent agent = store.agent();
  Sealed first = agent.seal({"blob 0"});

  explicit Checked(int bundles = 2) {
    const auto fork = agent.seal_aside({"other branch"});
    REQUIRE(store.post_parcel(first.parcel).status == 201);
    for (int i = 1; i < bundles; ++i) {
      REQUIRE(store.post_parcel(agent.seal({"blob " + std::to_string(i)}).parcel).status == 201);
    }
    REQUIRE(store.post_parcel(fork.parcel).status == 409);
    store.reopen();  // Places what waited, and forgets it.
    store.close();
  }
  std::string file_of(const std::string& name) const { return store.path() + "/" + name; }
  // Name to "lost" or "damaged".
  std::map<std::string, std::string> faults() {
    DirectoryDisk disk(store.path(), nullptr);
    auto index = store.index();
    std::map<std::string, std::string> found;
    auto counts = check_files(disk, index, read_vkey(store.path()).value(),
                              [&](const Fault& f) { found[f.name] = f.lost ? "lost" : "damaged"; });
    REQUIRE(counts);
    CHECK(counts->faults == found.size());
    return found;
  }
  void damage(const std::string& name) {
    auto bytes = read_file(file_of(name), 1u << 20);
    REQUIRE(bytes);
    (*bytes)[bytes->size() / 2] = static_cast<char>((*bytes)[bytes->size() / 2] ^ 1);
    REQUIRE(write_file_durable(file_of(name), *bytes));
  }
};

std::vector<std::string> evidence_of(const std::string& dir) {
  std::vector<std::string> names;
  for (const char* part : {"blobs", "bundles", "statements", "forks", "tile"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir + "/" + part)) {
      if (entry.is_regular_file()) names.push_back(entry.path().string().substr(dir.size() + 1));
    }
  }
  return names;
}

}  // namespace

TEST_CASE("nothing is wrong with a store that was stopped", "[fsck]") {
  Checked checked;

  CHECK(checked.faults().empty());
  CHECK(command_fsck({"--dir", checked.store.path()}) == kExitOk);
}

TEST_CASE("every file of the evidence is missed when it is gone or damaged", "[fsck]") {
  Checked checked(2);
  const auto names = evidence_of(checked.store.path());
  CHECK(names.size() > 8);

  for (const auto& name : names) {
    // Partial tiles of smaller trees are of no use any more.
    const bool old_tile = name.find(".p/") != std::string::npos && !name.ends_with(".p/4");
    if (old_tile) continue;
    CAPTURE(name);
    const auto bytes = read_file(checked.file_of(name), 1u << 20);
    REQUIRE(bytes);
    checked.damage(name);
    CHECK_FALSE(checked.faults().empty());
    REQUIRE(remove_file(checked.file_of(name)));
    CHECK(checked.faults()[name] == "lost");
    REQUIRE(write_file_durable(checked.file_of(name), *bytes));
  }
  CHECK(checked.faults().empty());
}

TEST_CASE("full tiles and those above them are looked at", "[fsck]") {
  Checked checked;
  const auto vkey = read_vkey(checked.store.path()).value();
  const auto key = SigningKey::load(checked.file_of(std::string(layout::kLogKey)));
  REQUIRE(key);
  {
    auto disk = DirectoryDisk::open(checked.store.path());
    REQUIRE(disk);
    auto index = checked.store.index();
    Receipts receipts(**disk, vkey.name);
    auto log = TreeLog::open(index, **disk, receipts, checked.store.clock, vkey, *key);
    REQUIRE(log);
    Filer filer(**disk);
    Committer committer(index, *log, filer);
    std::promise<Status> end;
    REQUIRE(committer.submit({[](Batch& batch) -> Status {
                                for (int i = 0; i < 300; ++i) {
                                  auto leaf = batch.append(leaf::Export{"all", i, "local"});
                                  if (!leaf) return std::move(leaf).error();
                                }
                                return Ok{};
                              },
                              [&end](const Status& status) { end.set_value(status); }}));
    REQUIRE(end.get_future().get());
  }
  checked.store.reopen();
  checked.store.close();
  REQUIRE(checked.faults().empty());

  for (const std::string name : {"tile/0/000", "tile/entries/000", "tile/1/000.p/1"}) {
    CAPTURE(name);
    const auto bytes = read_file(checked.file_of(name), 1u << 22);
    REQUIRE(bytes);
    checked.damage(name);
    CHECK_FALSE(checked.faults().empty());
    REQUIRE(write_file_durable(checked.file_of(name), *bytes));
  }
}

TEST_CASE("a checkpoint that is gone is said to be", "[fsck]") {
  Checked checked;
  REQUIRE(remove_file(checked.file_of("checkpoint")));

  CHECK(checked.faults() == std::map<std::string, std::string>{{"checkpoint", "lost"}});
  CHECK(command_fsck({"--dir", checked.store.path(), "--format", "json"}) == kExitFailed);
}

TEST_CASE("a damaged blob that is set aside is asked for, and comes back", "[fsck]") {
  Checked checked;
  const auto name = layout::blob_path(sha256_hex("blob 0"));
  checked.damage(name);

  CHECK(command_fsck({"--dir", checked.store.path(), "--set-aside"}) == kExitFailed);
  CHECK(checked.faults() == std::map<std::string, std::string>{{name, "lost"}});
  checked.store.reopen();
  const auto next = checked.agent.seal({"blob 0"});
  CHECK(checked.store.post_parcel(TestAgent::parcel(next.envelope, {})).status == 409);
  CHECK(checked.store.post_parcel(next.parcel).status == 201);
  checked.store.close();

  CHECK(checked.faults().empty());
}

TEST_CASE("files that wait for their places are not missed", "[fsck]") {
  TestStore store;
  auto agent = store.agent();
  REQUIRE(store.post_parcel(agent.seal({"waits"}).parcel).status == 201);
  // The head on the disk may be that of the flush before.
  const auto head = store.get("/v1/checkpoint").body;
  REQUIRE(write_file_durable(store.path() + "/checkpoint", head));
  DirectoryDisk disk(store.path(), nullptr);
  auto index = store.index();

  const auto counts =
      check_files(disk, index, read_vkey(store.path()).value(), [](const Fault&) {});

  REQUIRE(counts);
  CHECK(counts->faults == 0);
  CHECK(counts->bundles == 1);
}
