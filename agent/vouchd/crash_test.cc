// SPDX-License-Identifier: Apache-2.0
// kill -9 between any two durable steps of collecting, sealing, accepting and rotating: a child
// process dies at the n-th fsync, fdatasync, rename or unlink, for every n; then the agent starts
// again over what is on the disk. The calls are replaced in this test program alone.
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/vouchd/fake_world.h"

namespace {

// Steps until the process ends; 0: never. Of this process alone.
long steps_left = 0;

void step() {
  if (steps_left > 0 && --steps_left == 0) _exit(42);
}

}  // namespace

extern "C" {
__attribute__((visibility("default"))) int fsync(int fd) {
  step();
  return static_cast<int>(syscall(SYS_fsync, fd));
}
__attribute__((visibility("default"))) int fdatasync(int fd) {
  step();
  return static_cast<int>(syscall(SYS_fdatasync, fd));
}
__attribute__((visibility("default"))) int rename(const char* from, const char* to) noexcept {
  step();
  return static_cast<int>(syscall(SYS_rename, from, to));
}
__attribute__((visibility("default"))) int unlink(const char* path) noexcept {
  step();
  return static_cast<int>(syscall(SYS_unlink, path));
}
}

namespace vouch::agent {
namespace {

// Runs `body` in a child that dies at step n. True if the child came to its end before.
bool survives(long n, const std::function<bool()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    steps_left = n;
    _exit(body() ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE((WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 42));
  return WEXITSTATUS(status) == 0;
}

// What must hold after any crash and a start.
void check_after(World& world) {
  world.clock.advance(1000);
  const auto agent = world.start();
  const auto polled = agent->poll();
  if (!polled) FAIL(polled.error().message);
  REQUIRE(agent->seal());
  State& state = agent->state();
  check_chain(state);
  const auto waiting = state.bundles.in_state(BundleState::waiting).value();
  std::vector<std::int64_t> seqs;
  for (const auto& bundle : waiting) {
    seqs.push_back(bundle.seq);
    const auto parcel = read_parcel(state.outbox.read(bundle.seq).value());
    REQUIRE(parcel);
    CHECK(parcel->envelope == state.bundles.find(bundle.seq).value()->envelope);
    std::vector<std::string> blobs;
    for (const auto& blob : parcel->blobs) blobs.push_back(blob.sha256);
    CHECK(blobs == state.bundles.parcel_blobs(bundle.seq).value());
  }
  CHECK(state.outbox.waiting().value() == seqs);
  const auto found_bundles = state.bundles.in_state(BundleState::kept).value();
  for (const auto& bundle : found_bundles) {
    CHECK_FALSE(state.outbox.has(bundle.seq));
  }
  CHECK(state.keys.has(state.ledger.chain_head().value()->link.epoch));
  const auto files = state.blobs.list().value();
  for (const std::string& sha256 : files) {
    CHECK(state.bundles.knows_blob(sha256).value());
  }
}

}  // namespace

TEST_CASE("a crash at any step of a first start, a run and a seal loses nothing", "[crash]") {
  long n = 1;
  for (bool done = false; !done; ++n) {
    World world;
    CAPTURE(n);
    done = survives(n, [&] {
      const auto agent = world.start();
      world.clock.advance(400'000);
      return agent->poll().has_value() && agent->collect_all(Trigger::manual).has_value() &&
             agent->stop("SIGTERM").has_value();
    });
    check_after(world);
  }
  CHECK(n > 30);
}

TEST_CASE("a crash at any step of accepting and rotating keeps the ledger's word", "[crash]") {
  long n = 1;
  for (bool done = false; !done; ++n) {
    World world;
    CAPTURE(n);
    world.enrol();
    world.config.rotate_bundles = 2;
    {
      const auto agent = world.start();
      REQUIRE(agent->seal());
      world.clock.advance(3000);
      world.runner.users = {"root", "bob"};
      REQUIRE(agent->collect_all(Trigger::manual));
      REQUIRE(agent->seal());
      world.deliver(agent->state());
    }
    done = survives(n, [&] {
      const auto agent = world.start();
      world.clock.advance(400'000);
      return agent->poll().has_value() && agent->stop("SIGTERM").has_value();
    });
    check_after(world);
  }
  CHECK(n > 15);
}

}  // namespace vouch::agent
