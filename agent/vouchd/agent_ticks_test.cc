// SPDX-License-Identifier: Apache-2.0
// Suppressed, put off, paused and triggered: what becomes of ticks beside being run.
#include "agent/vouchd/fake_world.h"

namespace vouch::agent {
namespace {

class FakeLoad final : public HostLoad {
 public:
  std::int64_t pressure = 0;
  LoadReading read() override { return {pressure, std::nullopt}; }
};

// A window over the ticks due in the next `hours`, from the next full hour on.
Window window_ahead(const World& world, std::int64_t hours) {
  const WallSeconds from = (world.clock.wall / 3'600'000 + 1) * 3600;
  return {"ops@example.com", "kernel update", {}, from, from + hours * 3600, 0};
}

}  // namespace

TEST_CASE("ticks in a maintenance window are suppressed, on record with who and why", "[agent]") {
  World world;
  world.config.maintenance = {window_ahead(world, 2)};
  const auto agent = world.start();
  live(world, *agent, 4 * 3'600'000);
  REQUIRE(agent->stop("SIGTERM"));

  const auto records = check_chain(agent->state());
  std::int64_t suppressed = 0;
  for (const auto& record : of_kind<RunSuppressed>(records)) {
    suppressed += record.ticks.count();
    CHECK(record.by == "ops@example.com");
    CHECK(record.reason == "kernel update");
    CHECK(record.until == world.config.maintenance[0].until);
  }
  CHECK(suppressed == 24);
  CHECK(of_kind<Observation>(records).size() == 24);
  CHECK(of_kind<RunMissed>(records).empty());
}

TEST_CASE("a window that the host slept through, or was down for, is suppressed, not missed",
          "[agent]") {
  World world;
  world.config.maintenance = {window_ahead(world, 2)};
  auto agent = world.start();
  live(world, *agent, 310'000);
  if (GENERATE(false, true)) {
    world.clock.suspend(4 * 3'600'000);
  } else {
    REQUIRE(agent->stop("SIGTERM"));
    agent.reset();
    world.clock.advance(4 * 3'600'000);
    agent = world.start();
  }
  live(world, *agent, 310'000);
  REQUIRE(agent->stop("SIGTERM"));

  const auto records = check_chain(agent->state());
  const auto suppressed = of_kind<RunSuppressed>(records);
  REQUIRE(suppressed.size() == 1);
  CHECK(suppressed[0].ticks.count() == 24);
  for (const auto& missed : of_kind<RunMissed>(records)) CHECK(missed.reason == "not-running");
  CHECK(of_kind<RunMissed>(records).size() == 2);  // Before the window, and after it.
}

TEST_CASE("a pause keeps one collector from its schedule, survives a restart, and ends",
          "[agent]") {
  World world;
  auto agent = world.start();
  live(world, *agent, 10'000);
  const auto until = agent->pause("accounts", 3600, "root (uid 0)", "restore test");
  REQUIRE(until);
  CHECK(*until == world.clock.wall / 1000 + 3600);
  live(world, *agent, 1'800'000);
  REQUIRE(agent->stop("SIGTERM"));
  agent = world.start();
  live(world, *agent, 3'600'000);
  REQUIRE(agent->stop("SIGTERM"));

  const auto records = check_chain(agent->state());
  std::int64_t suppressed = 0;
  for (const auto& record : of_kind<RunSuppressed>(records)) {
    suppressed += record.ticks.count();
    CHECK(record.by == "root (uid 0)");
    CHECK(record.until == *until);
  }
  CHECK(suppressed == 12);
  CHECK(of_kind<Observation>(records).size() == 6);
}

TEST_CASE("a pause can be ended, and manual runs work in it", "[agent]") {
  World world;
  const auto agent = world.start();
  REQUIRE(agent->pause("accounts", 86400, "root (uid 0)", "restore test"));
  REQUIRE(agent->collect("accounts", Trigger::manual));
  live(world, *agent, 610'000);
  CHECK(world.runner.runs == 1);

  REQUIRE(agent->resume("accounts"));
  live(world, *agent, 610'000);
  REQUIRE(agent->stop("SIGTERM"));

  CHECK(world.runner.runs == 3);
  CHECK_FALSE(agent->resume("accounts"));
  check_chain(agent->state());
}

TEST_CASE("a pause needs a collector, a reason and an end", "[agent]") {
  World world;
  const auto agent = world.start();

  CHECK(agent->pause("nobody", 3600, "root", "x").error().code == Errc::not_found);
  CHECK(agent->pause("accounts", 3600, "root", "").error().code == Errc::invalid);
  CHECK(agent->pause("accounts", 30, "root", "x").error().code == Errc::invalid);
  CHECK(agent->pause("accounts", 8 * 86400, "root", "x").error().code == Errc::invalid);
}

TEST_CASE("a pause does not grow when the clock is set back", "[agent]") {
  World world;
  const auto agent = world.start();
  live(world, *agent, 10'000);
  REQUIRE(agent->pause("accounts", 3600, "root (uid 0)", "restore test"));
  world.clock.wall -= 400 * WallMs{86'400'000};
  live(world, *agent, 2 * 3'600'000);

  CHECK(world.runner.runs >= 20);
  REQUIRE(agent->stop("SIGTERM"));
  check_chain(agent->state());
}

TEST_CASE("on a busy host a run is late by its bound, never lost, and none overtakes", "[agent]") {
  FakeLoad load;
  load.pressure = 90;
  World world;
  world.load = &load;
  world.config.busy.delay_s_max = 40;
  const auto agent = world.start();
  live(world, *agent, 3'600'000);
  REQUIRE(agent->stop("SIGTERM"));

  const auto runs = of_kind<Observation>(check_chain(agent->state()));
  REQUIRE(runs.size() == 12);
  for (const Observation& run : runs) {
    CHECK(*run.started >= *run.scheduled * 1000 + 40'000);
    CHECK(*run.started < *run.scheduled * 1000 + 41'000);
  }
}

TEST_CASE("a run that was put off goes ahead as soon as the host is quiet", "[agent]") {
  FakeLoad load;
  World world;
  world.load = &load;
  const auto agent = world.start();
  live(world, *agent, 310'000);
  load.pressure = 90;
  const WallSeconds due = next_due(agent->schedule()[0], world.clock.wall);
  live(world, *agent, due * 1000 + 7000 - world.clock.wall);
  load.pressure = 10;
  live(world, *agent, 60'000);
  REQUIRE(agent->stop("SIGTERM"));

  const auto runs = of_kind<Observation>(check_chain(agent->state()));
  REQUIRE(runs.size() == 2);
  CHECK(*runs[0].started < *runs[0].scheduled * 1000 + 1000);
  CHECK(*runs[1].started >= due * 1000 + 10'000);
  CHECK(*runs[1].started < due * 1000 + 11'000);
}

TEST_CASE("a run that is put off while a bundle is sealed is open in it", "[agent]") {
  FakeLoad load;
  World world;
  world.load = &load;
  const auto agent = world.start();
  live(world, *agent, 310'000);
  load.pressure = 90;
  const WallSeconds due = next_due(agent->schedule()[0], world.clock.wall);
  live(world, *agent, due * 1000 + 3000 - world.clock.wall);
  REQUIRE(agent->seal());
  CHECK(agent->state().ledger.chain_head().value()->link.open.size() == 1);
  live(world, *agent, 120'000);
  REQUIRE(agent->stop("SIGTERM"));

  CHECK(of_kind<Observation>(check_chain(agent->state())).size() == 2);
  CHECK(agent->state().ledger.chain_head().value()->link.open.empty());
}

TEST_CASE("a watched path that changed is a run at once, with its cause", "[agent]") {
  World world;
  const auto agent = world.start();
  live(world, *agent, 10'000);
  world.runner.users = {"root", "eve"};
  agent->trigger("accounts", "/etc/passwd");
  agent->trigger("accounts", "/etc/shadow");
  REQUIRE(agent->poll());

  const auto runs = of_kind<Observation>(check_chain(agent->state()));  // Sealed by that look.
  REQUIRE(runs.size() == 1);
  CHECK(runs[0].trigger == Trigger::watch);
  CHECK(runs[0].cause == "/etc/passwd");
  CHECK_FALSE(runs[0].scheduled);
}

TEST_CASE("what changes in a window is looked at once, after it", "[agent]") {
  World world;
  const auto agent = world.start();
  REQUIRE(agent->pause("accounts", 600, "root (uid 0)", "upgrade"));
  agent->trigger("accounts", "/etc/passwd");
  live(world, *agent, 590'000);
  CHECK(world.runner.runs == 0);
  agent->trigger("accounts", "/etc/group");
  live(world, *agent, 60'000);
  REQUIRE(agent->stop("SIGTERM"));

  std::vector<Observation> watched;
  for (const Observation& run : of_kind<Observation>(check_chain(agent->state()))) {
    if (run.trigger == Trigger::watch) watched.push_back(run);
  }
  REQUIRE(watched.size() == 1);
  CHECK(watched[0].cause == "/etc/passwd");
}

}  // namespace vouch::agent
