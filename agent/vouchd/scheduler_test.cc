// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/scheduler.h"

#include <set>

#include <catch2/catch.hpp>

#include "agent/vouchd/sealer.h"

namespace vouch::agent {
namespace {

const ScheduleEntry kEvery60{"users", 1000, 60, 30};

WallMs at(WallSeconds second) {
  return second * 1000;
}

}  // namespace

TEST_CASE("a tick is due at its second and not before", "[scheduler]") {
  const std::vector<Progress> progress{{"users", 5, false}};

  CHECK(find_due({kEvery60}, progress, at(1300) - 1).empty());

  const auto due = find_due({kEvery60}, progress, at(1300));
  REQUIRE(due.size() == 1);
  CHECK(due[0].run == 5);
  CHECK(due[0].missed.count() == 0);
}

TEST_CASE("of several due ticks the newest runs and the older ones are missed", "[scheduler]") {
  const auto due = find_due({kEvery60}, {{"users", 5, false}}, at(1000 + 9 * 60 + 59));

  REQUIRE(due.size() == 1);
  CHECK(due[0].run == 9);
  CHECK(due[0].missed == TickRange{5, 8});
}

TEST_CASE("a tick never runs twice, also when the clock goes back", "[scheduler]") {
  CHECK(find_due({kEvery60}, {{"users", 10, false}}, at(1000 + 3 * 60)).empty());
  CHECK(find_due({kEvery60}, {{"users", 0, false}}, at(999)).empty());
}

TEST_CASE("a running collector gets nothing until it has ended", "[scheduler]") {
  CHECK(find_due({kEvery60}, {{"users", 5, true}}, at(5000)).empty());
  CHECK_FALSE(next_wake({kEvery60}, {{"users", 5, true}}));
  CHECK(next_wake({kEvery60}, {{"users", 5, false}}) == at(1300));
}

TEST_CASE("a tick that is put off is not due before the next look", "[scheduler]") {
  const std::vector<Progress> progress{{"users", 5, false, at(1305)}};

  CHECK(find_due({kEvery60}, progress, at(1304)).empty());
  CHECK(next_wake({kEvery60}, progress) == at(1305));
  REQUIRE(find_due({kEvery60}, progress, at(1305)).size() == 1);
}

TEST_CASE("a tick waits for a quiet host, but never longer than its bound or half the interval",
          "[scheduler]") {
  CHECK(put_off(kEvery60, 5, at(1300), 20) == at(1305));
  CHECK(put_off(kEvery60, 5, at(1317), 20) == at(1320));
  CHECK_FALSE(put_off(kEvery60, 5, at(1320), 20));
  CHECK(put_off(kEvery60, 5, at(1328), 600) == at(1330));
  CHECK_FALSE(put_off(kEvery60, 5, at(1330), 600));
  CHECK_FALSE(put_off(kEvery60, 5, at(1300), 0));
}

TEST_CASE("the first tick at a moment is the one due then or next", "[scheduler]") {
  CHECK(first_tick(kEvery60, at(1060)) == 1);
  CHECK(first_tick(kEvery60, at(1060) + 1) == 2);
  CHECK(first_tick(kEvery60, 0) == 0);
}

TEST_CASE("splay is the same for a host and spread over a fleet", "[scheduler]") {
  std::set<std::int64_t> seen;
  for (int i = 0; i < 200; ++i) {
    const std::string agent = "agent-" + std::to_string(i);
    const auto splay = splay_of(agent, "users", 60);
    CHECK(splay == splay_of(agent, "users", 60));
    CHECK((splay >= 0 && splay <= 60));
    seen.insert(splay);
  }
  CHECK(seen.size() > 40);
  CHECK(splay_of("a", "users", 0) == 0);
}

TEST_CASE("a step of the clock is told from sleep", "[scheduler]") {
  const ClockReading before{1'000'000, 50'000'000};

  CHECK(compare(before, {1'005'000, 55'000'000}) == ClockMove::none);
  CHECK(compare(before, {1'000'000 + 3'600'000, 50'000'000 + 3'600'000'000}) == ClockMove::none);
  CHECK(compare(before, {1'005'000 + 2'500, 55'000'000}) == ClockMove::stepped);
  CHECK(compare(before, {900'000, 55'000'000}) == ClockMove::stepped);
}

TEST_CASE("open runs are those due without a record, carried ones included", "[scheduler]") {
  Observation observed;
  observed.run = "users/5";
  const std::vector<Record> records{observed, RunMissed{0, "users", {6, 7}, "overrun"}};

  const auto counts =
      count_schedule({kEvery60}, at(1300), at(1000 + 10 * 60), {"users/4"}, records);

  CHECK(counts.carried == 1);
  CHECK(counts.expected == 5);
  CHECK(counts.observed == 1);
  CHECK(counts.missed == 2);
  CHECK(counts.open == std::vector<std::string>{"users/4", "users/8", "users/9"});
}

TEST_CASE("a leap of centuries is arithmetic, not a list", "[scheduler]") {
  const RunMissed missed{0, "users", {0, 100'000'000}, "clock-step"};

  const auto open =
      open_ticks({kEvery60}, at(1000), at(1000) + 60'000 * WallMs{100'000'002}, {}, {missed});

  REQUIRE(open.size() == 1);
  CHECK(open.at("users") == std::vector<TickRange>{{100'000'001, 100'000'001}});
}

}  // namespace vouch::agent
