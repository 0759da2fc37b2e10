// SPDX-License-Identifier: Apache-2.0
// Killed between any two durable steps of ingest, a store comes back with everything that it
// acknowledged, one history, and no half of anything.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/random.h"
#include "proto/checkpoint.h"
#include "proto/dsse.h"
#include "proto/tile.h"
#include "store/fake_disk.h"
#include "store/test_store.h"

using namespace vouch;
using namespace vouch::store;

namespace {

constexpr int kAcknowledged = 10;  // Exit status of a child whose bundle got its receipt.
constexpr int kKilled = 11;

// In a child: opens the store, posts the parcel, and dies at the n-th step (from 1) of the disk or
// the committer.
int post_and_die(const std::string& dir, const Clock& clock, const std::string& parcel, int step) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::atomic<int> left = step;  // The disk and the committer have threads of their own.
    StoreOptions options;
    options.hook = [&left](std::string_view) {
      if (--left == 0) ::_exit(kKilled);
    };
    auto store = Store::open(dir, clock, options);
    if (!store) ::_exit(1);
    Request head{"POST", "/v1/parcels", "application/vnd.vouch.parcel+zstd", "", "", parcel.size(),
                 ""};
    const auto upload = (*store)->handler().upload(head);
    (void)upload->feed(parcel);
    std::promise<Response> answer;
    upload->finish([&answer](const ResponseMaker& make) { answer.set_value(make()); });
    const int status = answer.get_future().get().status;
    ::_exit(status == 201 || status == 200 ? kAcknowledged : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

std::string dsse_prev(const std::string& envelope) {
  const auto parsed = dsse::parse(envelope);
  REQUIRE(parsed);
  return parse_statement(parsed->payload).value().bundle.prev;
}

std::string read_checkpoint(const std::string& dir) {
  auto note = read_file(dir + "/checkpoint", 1u << 16);
  REQUIRE(note);
  return *note;
}

Status append(Committer& committer, const std::string& origin) {
  std::promise<Status> end;
  Job job;
  job.apply = [&origin](Batch& batch) -> Status {
    auto leaf = batch.append(leaf::Export{origin, 1, "local"});
    if (!leaf) return std::move(leaf).error();
    return Ok{};
  };
  job.done = [&end](const Status& status) { end.set_value(status); };
  REQUIRE(committer.submit(std::move(job)));
  return end.get_future().get();
}

// A log on a disk that fails and forgets when told to, without the store around it.
struct BareLog {
  BareLog() { REQUIRE(TreeLog::create(index, disk, vkey, key)); }
  Result<TreeLog> open() { return TreeLog::open(index, disk, receipts, clock, vkey, key); }

  ManualClock clock;
  TestDirectory dir;
  SigningKey key = SigningKey::generate().value();
  note::VerifierKey vkey =
      note::make_vkey("store.example.com/log1", note::KeyType::log, key).value();
  Index index = std::move(Index::open(dir / "store.db").value());
  FakeDisk disk;
  Receipts receipts{disk, vkey.name};
};

}  // namespace

TEST_CASE("a kill at any step of ingest loses nothing that was acknowledged", "[crash]") {
  TestStore store;
  auto agent = store.agent();
  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);
  store.close();
  const auto vkey = read_vkey(store.path());
  REQUIRE(vkey);

  bool acknowledged = false;
  int step = 1;
  for (; !acknowledged; ++step) {
    CAPTURE(step);
    REQUIRE(step < 100);
    // A new bundle for each step, with a small and a large blob.
    const std::string large = random_bytes(100000);
    const auto sealed = agent.seal({"small " + std::to_string(step), large});
    const auto before = checkpoint::open(read_checkpoint(store.path()), *vkey);
    REQUIRE(before);

    const int end = post_and_die(store.path(), store.clock, sealed.parcel, step);
    REQUIRE((end == kKilled || end == kAcknowledged));
    acknowledged = end == kAcknowledged;

    // Whatever was published before the kill is a prefix of what comes after.
    const auto published = checkpoint::open(read_checkpoint(store.path()), *vkey);
    REQUIRE(published);
    store.reopen();
    const bool on_record = store.index().find_bundle(sealed.id).value().has_value();
    if (acknowledged) CHECK(on_record);
    const auto answer = store.post_parcel(sealed.parcel);
    CHECK(answer.status == (on_record ? 200 : 201));
    const auto accepted = receipt::accept(
        answer.body, {agent.id(), sealed.seq, sealed.id, dsse_prev(sealed.envelope), agent.keyid()},
        store.policy(), std::nullopt, std::nullopt);
    CAPTURE(accepted.detail);
    REQUIRE(accepted.verdict == receipt::Verdict::accepted);
    const auto read = [&](const std::string& path) {
      return read_file(store.path() + "/" + path, tile::kEntriesBytesMax);
    };
    tile::TileTree tree(read, accepted.opened->checkpoint.checkpoint.size);
    CHECK(tree.root().value() == accepted.opened->checkpoint.checkpoint.root);
    for (const auto* old : {&*before, &*published}) {
      const auto proof = tree.consistency(old->checkpoint.size);
      REQUIRE(proof);
      CHECK(merkle::verify_consistency(old->checkpoint.size, tree.size(), *proof,
                                       old->checkpoint.root,
                                       accepted.opened->checkpoint.checkpoint.root));
    }
    const auto auditor = store.auditor();
    CHECK(store.get("/v1/blobs/sha256/" + sha256_hex(large), auditor).body == large);
    CHECK(store.get("/v1/bundles/" + agent.id() + "/" + std::to_string(sealed.seq), auditor).body ==
          sealed.envelope);
    store.close();
  }
  CHECK(step > 8);  // It was killed at a good number of different places.
}

TEST_CASE("a log that was set back is not continued", "[crash]") {
  TestStore store;
  auto agent = store.agent();
  store.close();
  const auto copy = store.path() + "/store.db";
  const auto old_index = read_file(copy, 1u << 24);
  REQUIRE(old_index);
  store.reopen();
  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);
  store.close();

  REQUIRE(write_file_durable(copy, *old_index));
  REQUIRE(remove_file(copy + "-wal"));
  const auto refused = Store::open(store.path(), store.clock);

  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::corrupt);
  CHECK_THAT(refused.error().message, Catch::Contains("must not be continued"));
}

TEST_CASE("a log whose tiles were changed is not continued", "[crash]") {
  TestStore store;
  auto agent = store.agent();
  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);
  store.reopen();  // What the index still holds of the tiles is written over them, once.
  store.close();
  const auto path = store.path() + "/tile/0/000.p/2";
  auto bytes = read_file(path, 1u << 16);
  REQUIRE(bytes);
  (*bytes)[3] = static_cast<char>((*bytes)[3] ^ 1);
  REQUIRE(write_file_durable(path, *bytes));

  const auto refused = Store::open(store.path(), store.clock);

  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::corrupt);
}

TEST_CASE("a head that a power cut left without bytes is written again", "[crash]") {
  TestStore store;
  auto agent = store.agent();
  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);
  const auto shown = store.get("/v1/checkpoint").body;
  store.close();

  REQUIRE(write_file_durable(store.path() + "/checkpoint",
                             GENERATE(std::string(), std::string(7, '\0'))));
  store.reopen();

  CHECK(store.get("/v1/checkpoint").body == shown);
  CHECK(read_checkpoint(store.path()) == shown);
}

TEST_CASE("a disk that fails at any write gives no receipt and no second root", "[crash]") {
  BareLog bare;
  auto log = bare.open();
  REQUIRE(log);
  Filer filer(bare.disk);
  Committer committer(bare.index, *log, filer);

  std::map<std::uint64_t, std::string> roots;
  for (int writes = 0; writes < 6; ++writes) {
    CAPTURE(writes);
    bare.disk.fail_after(writes);
    const auto status = append(committer, "scope-" + std::to_string(writes));
    // Two tiles and a checkpoint; and the filer may have taken a turn.
    if (writes < 3) CHECK_FALSE(status);
    bare.disk.fail_after(-1);
    REQUIRE(append(committer, "retry-" + std::to_string(writes)));
    const auto head = checkpoint::open(bare.receipts.checkpoint(), bare.vkey);
    REQUIRE(head);
    const auto [known, is_new] = roots.emplace(head->checkpoint.size, head->checkpoint.root);
    CHECK(known->second == head->checkpoint.root);
  }
}

TEST_CASE("what was shown is there after a power cut that nothing unsynced survives", "[crash]") {
  BareLog bare;
  std::vector<std::string> shown;
  {
    auto log = bare.open();
    REQUIRE(log);
    FakeDisk of_filer;  // So that no sync reaches the log's, and nothing is forgotten.
    of_filer.fail_after(0);
    Filer filer(of_filer);
    Committer committer(bare.index, *log, filer);
    for (const auto* scope : {"one", "two"}) {
      REQUIRE(append(committer, scope));
      shown.push_back(bare.receipts.checkpoint());
    }
  }

  bare.disk.lose_unsynced();
  REQUIRE(Filer::recover(bare.index, bare.disk));
  auto log = bare.open();

  REQUIRE(log);
  CHECK(log->size() == 2);
  CHECK(bare.receipts.checkpoint() == shown[1]);
  CHECK(bare.disk.get("checkpoint", 1000).value() == shown[1]);
  CHECK(bare.disk.get("checkpoints/1", 1000).value() == shown[0]);
  CHECK(bare.disk.get("checkpoints/2", 1000).value() == shown[1]);
}
