// SPDX-License-Identifier: Apache-2.0
// A fault at any write, fsync, rename, opening, unlink and truncation of collecting, sealing,
// accepting and rotating: the call fails once (EIO), or the disk is full from there on (ENOSPC), or
// read-only (EROFS). The process lives on, does what it can, and ends; then the agent starts again
// over what is on the disk.
//
// Every call takes minutes: VOUCH_FAULT_STRIDE=1. CTest takes every 29th, each time others.
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "agent/vouchd/crash_world.h"
#include "core/fault_calls.h"

namespace vouch::agent {
namespace {

constexpr int kReached = 3;
constexpr long kCallsMax = 5000;

struct Fault {
  int error;
  bool lasting;
};

long stride() {
  const char* text = std::getenv("VOUCH_FAULT_STRIDE");
  const long given = text == nullptr ? 29 : std::atol(text);
  return given > 0 ? given : 1;
}

// Runs `body` in a child whose n-th call fails. True if there were not so many.
bool passes(long n, const Fault& fault, const std::function<void()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    faults::fail_at(n, fault.error, fault.lasting);
    body();
    _exit(faults::reached() ? kReached : 0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE((WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == kReached));
  return WEXITSTATUS(status) == 0;
}

// A life in which whatever fails is tried no more often than the daemon does.
void live(World& world) {
  auto opened =
      Agent::open(world.config, world.clock, world.runner, world.host, std::string(64, 'a'));
  if (!opened) return;
  const auto agent = *std::move(opened);
  auto done = agent->start();
  world.clock.advance(400'000);
  done = agent->poll();
  world.clock.advance(5000);
  done = agent->poll();
  done = agent->stop("SIGTERM");
}

long run_all(const Fault& fault, const std::function<void(World&)>& before) {
  long n = 1 + static_cast<long>(getpid()) % stride();
  for (bool done = false; !done && n < kCallsMax; n += stride()) {
    World world;
    before(world);
    CAPTURE(n, fault.error, fault.lasting);
    done = passes(n, fault, [&] { live(world); });
    world.clock.advance(500'000);
    check_after(world);
  }
  return n;
}

}  // namespace

TEST_CASE("a fault at any call of a first start, a run and a seal loses nothing", "[faults]") {
  const auto fault = GENERATE(Fault{EIO, false}, Fault{ENOSPC, true}, Fault{EROFS, true});

  const long calls = run_all(fault, [](World&) {});

  CHECK(calls > 100);
  CHECK(calls < kCallsMax);
}

TEST_CASE("a fault at any call of accepting and rotating keeps the ledger's word", "[faults]") {
  const auto fault = GENERATE(Fault{EIO, false}, Fault{ENOSPC, true});

  const long calls = run_all(fault, [](World& world) {
    world.enrol();
    world.config.rotate_bundles = 2;
    const auto agent = world.start();
    REQUIRE(agent->seal());
    world.clock.advance(3000);
    world.runner.users = {"root", "bob"};
    REQUIRE(agent->collect_all(Trigger::manual));
    REQUIRE(agent->seal());
    world.deliver(agent->state());
  });

  CHECK(calls > 100);
  CHECK(calls < kCallsMax);
}

}  // namespace vouch::agent
