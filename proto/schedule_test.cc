// SPDX-License-Identifier: Apache-2.0
#include "proto/schedule.h"

#include <catch2/catch.hpp>

using namespace vouch;

namespace {

const ScheduleEntry kEntry{"users", 1000, 60, 30};  // Ticks at 1000 s, 1060 s, …

}  // namespace

TEST_CASE("a tick due at the beginning of a period is in it, at the end is not", "[schedule]") {
  CHECK(due_ticks(kEntry, 1'000'000, 1'060'000) == TickRange{0, 0});
  CHECK(due_ticks(kEntry, 1'000'000, 1'060'001) == TickRange{0, 1});
  CHECK(due_ticks(kEntry, 1'000'001, 1'060'000).count() == 0);
  CHECK(due_ticks(kEntry, 1'060'000, 1'060'000).count() == 0);
  CHECK(due_ticks(kEntry, 1'120'000, 1'060'000).count() == 0);
}

TEST_CASE("no tick is due before the anchor", "[schedule]") {
  CHECK(due_ticks(kEntry, 0, 1'000'000).count() == 0);
  CHECK(due_ticks(kEntry, -5'000'000, 1'000'001) == TickRange{0, 0});
  CHECK_FALSE(last_tick(kEntry, 999'999));
  CHECK(next_due(kEntry, 0) == 1000);
}

TEST_CASE("consecutive periods share no tick and lose none", "[schedule]") {
  std::int64_t next = 0;
  for (WallMs from = 900'000; from < 2'000'000;) {
    const auto to = from + 17'321;
    const auto due = due_ticks(kEntry, from, to);
    if (due.count() > 0) {
      CHECK(due.first == next);
      next = due.last + 1;
    }
    from = to;
  }
  CHECK(next == 17);
}

TEST_CASE("the newest tick is the one due now or before", "[schedule]") {
  CHECK(*last_tick(kEntry, 1'000'000) == 0);
  CHECK(*last_tick(kEntry, 1'059'999) == 0);
  CHECK(*last_tick(kEntry, 1'060'000) == 1);
  CHECK(next_due(kEntry, 1'060'000) == 1120);
  CHECK(due_at(kEntry, 3) == 1180);
}

TEST_CASE("a schedule is read out of the configuration", "[schedule]") {
  const auto schedule = schedule_of_config(
      R"({"schedule":[{"collector":"backup_jobs@nas","anchor":"2026-11-21T00:00:07Z",)"
      R"("interval_s":3600,"deadline_s":30}],"x":1})");

  REQUIRE(schedule);
  REQUIRE(schedule->size() == 1);
  CHECK(schedule->front().collector == "backup_jobs@nas");
  CHECK(format_second(schedule->front().anchor) == "2026-11-21T00:00:07Z");
  CHECK(*parse_schedule(json::Array{to_json(schedule->front())}) == *schedule);
}

TEST_CASE("a schedule that is not of the form is refused", "[schedule]") {
  const std::string entry =
      R"({"collector":"a","anchor":"2026-11-21T00:00:07Z","interval_s":3600,"deadline_s":30})";
  const auto changed = [&](std::string_view from, std::string_view to) {
    auto text = entry;
    return "[" + text.replace(text.find(from), from.size(), to) + "]";
  };
  const auto bad =
      GENERATE_COPY(as<std::string>{}, "{}", "[1]", "[" + entry + "," + entry + "]",
                    changed("\"a\"", "\"A\""), changed("07Z", "07.000Z"), changed("3600", "0"),
                    changed("3600", "-1"), changed("3600", "31622401"), changed("3600", "\"1h\""),
                    changed(":30", ":0"), changed("\"anchor\"", "\"ancor\""));
  CAPTURE(bad);

  CHECK_FALSE(schedule_of_config("{\"schedule\":" + bad + "}"));
}
