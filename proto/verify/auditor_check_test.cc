// SPDX-License-Identifier: Apache-2.0
// The commands of docs/auditors-guide.md, run by tests/auditor_check.sh on a store that was written
// here: what our verifier accepts, openssl and jq accept, and what it refuses, they refuse.
#include <stdlib.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "core/process.h"
#include "proto/verify/store_fixture_test.h"
#include "source_dir.h"

namespace vouch::verify {
namespace {

// A store on the disk, gone with the object.
class StoreOnDisk {
 public:
  explicit StoreOnDisk(const MemoryFiles& files) {
    std::string name = std::filesystem::temp_directory_path() / "auditor_check.XXXXXX";
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    directory_ = name;
    for (const auto& [path, bytes] : files.files) {
      const auto target = directory_ / path;
      std::filesystem::create_directories(target.parent_path());
      std::ofstream(target, std::ios::binary) << bytes;
    }
  }
  ~StoreOnDisk() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  StoreOnDisk(const StoreOnDisk&) = delete;
  StoreOnDisk& operator=(const StoreOnDisk&) = delete;
  [[nodiscard]] std::string path() const { return directory_; }

 private:
  std::filesystem::path directory_;
};

Exit check(const MemoryFiles& files) {
  const StoreOnDisk store(files);
  Command command;
  command.argv = {"/bin/bash", VOUCH_SOURCE_DIR "/tests/auditor_check.sh", store.path()};
  command.environment = default_environment();
  command.deadline = std::chrono::milliseconds(120000);
  const auto exit = run_process(command);
  REQUIRE(exit);
  return *exit;
}

bool has_tools() {
  for (const auto* tool : {"openssl", "jq", "zstd", "xxd"}) {
    if (!std::filesystem::exists(std::string("/usr/bin/") + tool)) {
      WARN("skipped: /usr/bin/" << tool << " is not installed");
      return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("an auditor's own tools accept an honest store", "[auditor]") {
  if (!has_tools()) return;
  StoreFixture store;
  for (int i = 0; i < 3; ++i) store.seal();
  const auto next = test::key_of(std::string(64, '7'));
  store.edit = [&](Bundle& b) {
    b.records.emplace_back(*make_key_rotate(b.sealed, kAgent, 1, store.key.public_key(), next));
  };
  store.seal();
  store.edit = [](Bundle&) {};
  store.append(leaf::Rotate{kAgent, 3, 1, store.key.keyid(), next.keyid(),
                            base64_encode(next.public_key().spki())});
  store.seal(&next);
  REQUIRE(store.verify().verified());

  const auto exit = check(store.files);

  INFO(exit.standard_error);
  CHECK(exit.code == 0);
  CHECK_THAT(exit.standard_output, Catch::Contains("8 entries, 1 agents, 5 bundles"));
}

TEST_CASE("an auditor's own tools find what was changed", "[auditor]") {
  if (!has_tools()) return;
  StoreFixture store;
  for (int i = 0; i < 3; ++i) store.seal();
  store.publish();
  auto& files = store.files.files;
  std::string message;
  SECTION("the checkpoint") {
    auto& note = files["checkpoint"];
    note[note.size() - 12] = note[note.size() - 12] == 'A' ? 'B' : 'A';
    message = "checkpoint: bad signature";
  }
  SECTION("an entry") {
    files["tile/entries/000.p/5"][300] ^= 1;
    message = "is not that of its entries";
  }
  SECTION("a payload") {
    auto envelope = *dsse::parse(store.envelopes[1]);
    envelope.payload[envelope.payload.find("web-01")] = 'W';
    store.rewrite(1, dsse::write(envelope));
    message = "/1: bad signature";
  }
  SECTION("a bundle in another's place") {
    store.rewrite(1, store.envelopes[0]);
    message = "/1: not the bundle in the log";
  }
  SECTION("a blob") {
    const auto digest = sha256_hex("{\"uid\":4,\"username\":\"root\"}\n");
    files["blobs/sha256/" + digest.substr(0, 2) + "/" + digest + ".zst"] = zstd::compress("{}\n");
    message = "is missing or changed";
  }
  const auto exit = check(store.files);
  CHECK(exit.code == 1);
  CHECK_THAT(exit.standard_error, Catch::Contains(message));
}

}  // namespace vouch::verify
