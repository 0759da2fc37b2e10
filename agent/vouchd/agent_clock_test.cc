// SPDX-License-Identifier: Apache-2.0
// Steps of the clock, suspend, leap days and time zones. check_chain() holds the equation of
// docs/formats/bundle.md against every bundle.
#include <time.h>

#include <set>

#include "agent/vouchd/fake_world.h"

namespace vouch::agent {
namespace {

constexpr WallMs kYearMs = WallMs{365} * 86'400'000;

void check_ids_are_unique(const std::vector<Record>& records) {
  std::set<std::string> seen;
  for (const Record& record : records) {
    if (const RunTimes* run = run_times(record)) CHECK(seen.insert(run->run).second);
  }
}

std::size_t count_of(const std::vector<Record>& records, Trigger trigger) {
  std::size_t count = 0;
  for (const auto& run : of_kind<Observation>(records)) count += run.trigger == trigger ? 1 : 0;
  return count;
}

bool nothing_is_open(Agent& agent) {
  return agent.state().ledger.chain_head().value()->link.open.empty();
}

// Waits until a bundle has just been sealed: none follows within the gap.
void live_to_a_seal(World& world, Agent& agent) {
  world.runner.users.push_back("user" + std::to_string(world.runner.users.size()));
  const auto seq = [&] { return agent.state().ledger.chain_head().value()->link.next_seq; };
  const auto before = seq();
  while (seq() == before) live(world, agent, 1000);
}

}  // namespace

TEST_CASE("a clock that jumps a year ahead and back again loses nothing", "[agent][clock]") {
  World world;
  const auto agent = world.start();
  live(world, *agent, 310'000);
  live_to_a_seal(world, *agent);
  const auto runs_before = world.runner.runs;

  world.clock.wall += kYearMs;
  REQUIRE(agent->poll());  // The tick of that year runs; nothing is sealed yet.
  CHECK(world.runner.runs == runs_before + 1);
  world.clock.wall -= kYearMs;
  live(world, *agent, 3'600'000);
  CHECK(nothing_is_open(*agent));
  REQUIRE(agent->stop("SIGTERM"));

  const auto records = check_chain(agent->state());
  check_ids_are_unique(records);
  CHECK(of_kind<ClockStep>(records).size() == 2);
  CHECK(of_kind<RunMissed>(records).empty());     // The year was not missed: it never was.
  CHECK(count_of(records, Trigger::start) == 1);  // The run that was due in another year.
  CHECK(count_of(records, Trigger::schedule) >= 12);
}

TEST_CASE("after a bundle of another year the host is seen all the same", "[agent][clock]") {
  World world;
  const auto agent = world.start();
  live(world, *agent, 310'000);
  world.clock.wall += kYearMs;
  live(world, *agent, 310'000);  // Sealed: that period has ended.
  const auto scheduled = count_of(check_chain(agent->state()), Trigger::schedule);

  world.clock.wall -= kYearMs;
  live(world, *agent, 3'600'000);

  auto records = check_chain(agent->state());
  CHECK(count_of(records, Trigger::schedule) == scheduled);  // No tick falls due.
  REQUIRE(agent->seal());
  records = check_chain(agent->state());
  CHECK(count_of(records, Trigger::start) >= 10);
  world.clock.advance(kYearMs);
  live(world, *agent, 3'600'000);
  REQUIRE(agent->stop("SIGTERM"));
  records = check_chain(agent->state());
  check_ids_are_unique(records);
  CHECK(count_of(records, Trigger::schedule) >= scheduled + 10);
}

TEST_CASE("a clock that was ahead when the agent ended is back when it starts", "[agent][clock]") {
  World world;
  {
    const auto agent = world.start();
    live(world, *agent, 310'000);
    live_to_a_seal(world, *agent);
    world.clock.wall += kYearMs;
    REQUIRE(agent->poll());
  }
  world.clock.wall -= kYearMs;
  world.clock.advance(60'000);
  const auto agent = world.start();
  live(world, *agent, 3'600'000);
  CHECK(nothing_is_open(*agent));
  world.clock.advance(kYearMs);  // What was on record for this time must not be there again.
  live(world, *agent, 610'000);
  REQUIRE(agent->stop("SIGTERM"));

  const auto records = check_chain(agent->state());
  check_ids_are_unique(records);
  CHECK(count_of(records, Trigger::schedule) >= 12);
}

TEST_CASE("a run beside the schedule has an id of its own, wherever the clock stands",
          "[agent][clock]") {
  World world;
  const auto agent = world.start();
  live(world, *agent, 310'000);
  std::set<std::string> ids;
  for (const WallMs step : {WallMs{0}, kYearMs, -kYearMs, kYearMs, WallMs{0}}) {
    world.clock.wall += step;
    CHECK(ids.insert(agent->collect("accounts", Trigger::manual).value()).second);
  }
}

TEST_CASE("a year ahead is missed in one record, and the next tick runs", "[agent][clock]") {
  World world;
  const auto agent = world.start();
  live(world, *agent, 310'000);
  world.clock.wall += kYearMs;
  live(world, *agent, 610'000);
  REQUIRE(agent->stop("SIGTERM"));

  const auto missed = of_kind<RunMissed>(check_chain(agent->state()));
  REQUIRE(missed.size() == 1);
  CHECK(missed[0].reason == "clock-step");
  CHECK(missed[0].ticks.count() > 100'000);
}

TEST_CASE("after a suspend the newest tick runs late and the older ones are missed",
          "[agent][clock]") {
  World world;
  const auto agent = world.start();
  live(world, *agent, 310'000);
  world.clock.suspend(1'500'000);
  live(world, *agent, 10'000);
  REQUIRE(agent->stop("SIGTERM"));

  const auto records = check_chain(agent->state());
  const auto missed = of_kind<RunMissed>(records);
  REQUIRE(missed.size() == 1);
  CHECK(missed[0].reason == "not-running");
  CHECK(missed[0].ticks.count() == 4);
  CHECK(of_kind<Observation>(records).size() == 2);
  CHECK(of_kind<ClockStep>(records).empty());
}

TEST_CASE("leap days and the turn of a year have 24 hours", "[agent][clock]") {
  const auto from =
      GENERATE("2028-02-28T12:00:00.000Z", "2027-12-30T12:00:00.000Z", "2100-02-27T12:00:00.000Z");
  World world;
  world.clock.wall = parse_instant(from).value();
  world.config.collectors[0].interval_s = 3600;
  const auto agent = world.start();
  live(world, *agent, 3 * WallMs{86'400'000} - 1000);
  REQUIRE(agent->stop("SIGTERM"));

  const auto records = check_chain(agent->state());
  CHECK(of_kind<Observation>(records).size() == 72);
  CHECK(of_kind<RunMissed>(records).empty());
  CHECK(of_kind<ClockStep>(records).empty());
}

TEST_CASE("daylight saving does not exist", "[agent][clock]") {
  setenv("TZ", "Europe/Berlin", 1);
  tzset();
  World world;
  world.clock.wall = parse_instant("2026-10-24T20:30:00.000Z").value();  // It ends at 01:00 UTC.
  world.config.collectors[0].interval_s = 3600;
  const auto agent = world.start();
  live(world, *agent, 8 * 3'600'000);
  REQUIRE(agent->stop("SIGTERM"));
  unsetenv("TZ");
  tzset();

  const auto runs = of_kind<Observation>(check_chain(agent->state()));
  REQUIRE(runs.size() == 8);
  for (std::size_t i = 1; i < runs.size(); ++i) {
    CHECK(*runs[i].scheduled - *runs[i - 1].scheduled == 3600);
  }
}

// The old schedule's next tick falls due at some moment of the start: with each look at the clock a
// millisecond passes. Under the new schedule, a minute later, it would have the same number again.
TEST_CASE("the last bundle under a configuration leaves no run open", "[agent][clock]") {
  for (std::int64_t lead_ms = 1; lead_ms <= 30; ++lead_ms) {
    CAPTURE(lead_ms);
    World world;
    {
      const auto agent = world.start();
      live(world, *agent, 10'000);
      REQUIRE(agent->stop("reload"));
    }
    const ScheduleEntry old{"accounts", kAnchorBase, 300, 30};
    world.config.collectors[0].anchor = kAnchorBase + 60;
    world.clock.advance(next_due(old, world.clock.wall) * 1000 - world.clock.wall - lead_ms);
    world.clock.creep_ms = 1;
    const auto agent = world.start();
    world.clock.creep_ms = 0;
    live(world, *agent, 70'000);
    REQUIRE(agent->stop("SIGTERM"));

    const auto records = check_chain(agent->state());
    CHECK(of_kind<ConfigChange>(records).size() == 1);
    CHECK(of_kind<Observation>(records).size() == 1);  // Of the new schedule's first tick.
  }
}

}  // namespace vouch::agent
