// SPDX-License-Identifier: Apache-2.0
// kill -9 between any two durable steps of collecting, sealing, accepting and rotating: a child
// process dies at the n-th fsync, fdatasync, rename or unlink, for every n; then the agent starts
// again over what is on the disk.
#include <sys/wait.h>
#include <unistd.h>

#include "agent/vouchd/crash_world.h"
#include "core/fault_calls.h"

namespace vouch::agent {
namespace {

// Runs `body` in a child that dies at step n. True if the child came to its end before.
bool survives(long n, const std::function<bool()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    faults::kill_at(n);
    _exit(body() ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE((WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 42));
  return WEXITSTATUS(status) == 0;
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
