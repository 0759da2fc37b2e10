// SPDX-License-Identifier: Apache-2.0
// A fault at any write, fsync, rename, opening, unlink and truncation of opening a store and of an
// ingest: the call fails once (EIO), or the disk is full from there on (ENOSPC), or read-only
// (EROFS). What was acknowledged is there afterwards, the log has one history, and fsck finds
// nothing wrong.
//
// Every call takes minutes: VOUCH_FAULT_STRIDE=1. CTest takes every 13th, each time others.
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include <catch2/catch.hpp>

#include "core/fault_calls.h"
#include "core/random.h"
#include "proto/checkpoint.h"
#include "store/fsck.h"
#include "store/test_store.h"

using namespace vouch;
using namespace vouch::store;

namespace {

constexpr int kAcknowledged = 10;  // Exit statuses of a child: its bundle got a receipt …
constexpr int kRefused = 11;       // … or not, or the store did not open.
constexpr int kReached = 20;       // Added where the call that was to fail was made.
constexpr long kCallsMax = 2000;

struct Disturbance {
  int error;
  bool lasting;
};

long stride() {
  const char* text = std::getenv("VOUCH_FAULT_STRIDE");
  const long given = text == nullptr ? 13 : std::atol(text);
  return given > 0 ? given : 1;
}

int status_of(Store& store, const std::string& parcel) {
  Request head{"POST", "/v1/parcels", "application/vnd.vouch.parcel+zstd", "", "", parcel.size(),
               ""};
  const auto upload = store.handler().upload(head);
  if (upload->feed(parcel)) {
    // Refused before its end or not: the answer says.
  }
  std::promise<Response> answer;
  upload->finish([&answer](const ResponseMaker& make) { answer.set_value(make()); });
  return answer.get_future().get().status;
}

// In a child: opens the store and posts the parcel, and the n-th call fails.
int post_with_fault(const std::string& dir, const Clock& clock, const std::string& parcel, long n,
                    const Disturbance& disturbance) {
  const pid_t child = ::fork();
  if (child == 0) {
    faults::fail_at(n, disturbance.error, disturbance.lasting);
    auto store = Store::open(dir, clock);
    int end = kRefused;
    if (store) {
      const int status = status_of(**store, parcel);
      if (status == 201 || status == 200) end = kAcknowledged;
      (*store)->stop();
    }
    ::_exit(end + (faults::reached() ? kReached : 0));
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

checkpoint::Checkpoint shown(const std::string& dir, const note::VerifierKey& vkey) {
  const auto note = read_file(dir + "/checkpoint", 1u << 16);
  REQUIRE(note);
  const auto opened = checkpoint::open(*note, vkey);
  REQUIRE(opened);
  return opened->checkpoint;
}

void check_consistent(TestStore& store, const checkpoint::Checkpoint& old,
                      const checkpoint::Checkpoint& now) {
  const auto read = [&](const std::string& path) {
    return read_file(store.path() + "/" + path, tile::kEntriesBytesMax);
  };
  tile::TileTree tree(read, now.size);
  REQUIRE(tree.root().value() == now.root);
  const auto proof = tree.consistency(old.size);
  REQUIRE(proof);
  CHECK(merkle::verify_consistency(old.size, now.size, *proof, old.root, now.root));
}

void check_whole(TestStore& store, const note::VerifierKey& vkey) {
  store.close();  // All files are where they belong.
  auto disk = DirectoryDisk::open(store.path());
  REQUIRE(disk);
  auto index = store.index();
  const auto counts = check_files(**disk, index, vkey, [](const Fault& fault) {
    FAIL(fault.name << (fault.lost ? " is lost: " : " is damaged: ") << fault.detail);
  });
  REQUIRE(counts);
  CHECK(counts->faults == 0);
}

}  // namespace

TEST_CASE("a fault at any call of an ingest loses nothing that was acknowledged", "[faults]") {
  const auto disturbance =
      GENERATE(Disturbance{EIO, false}, Disturbance{ENOSPC, true}, Disturbance{EROFS, true});
  TestStore store;
  auto agent = store.agent();
  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);
  store.close();
  const auto vkey = read_vkey(store.path()).value();

  int faults = 0;
  bool reached = true;
  for (long n = 1 + static_cast<long>(::getpid()) % stride(); reached; n += stride()) {
    CAPTURE(n, disturbance.error, disturbance.lasting);
    REQUIRE(n < kCallsMax);
    const auto sealed = agent.seal({"small " + std::to_string(n), random_bytes(100000)});
    const auto before = shown(store.path(), vkey);

    const int end = post_with_fault(store.path(), store.clock, sealed.parcel, n, disturbance);
    reached = end >= kReached;
    const bool acknowledged = (reached ? end - kReached : end) == kAcknowledged;
    faults += reached ? 1 : 0;
    if (!reached) CHECK(acknowledged);

    const auto published = shown(store.path(), vkey);
    store.reopen();
    const bool on_record = store.index().find_bundle(sealed.id).value().has_value();
    if (acknowledged) CHECK(on_record);
    CHECK(store.post_parcel(sealed.parcel).status == (on_record ? 200 : 201));
    const auto now = checkpoint::open(store.get("/v1/checkpoint").body, vkey);
    REQUIRE(now);
    check_consistent(store, before, now->checkpoint);
    check_consistent(store, published, now->checkpoint);
    check_whole(store, vkey);
  }
  CHECK(faults > 2);
}
