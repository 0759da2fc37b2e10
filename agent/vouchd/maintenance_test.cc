// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/maintenance.h"

#include <catch2/catch.hpp>

#include "agent/vouchd/scheduler.h"

namespace vouch::agent {
namespace {

const ScheduleEntry kEvery60{"users", 1000, 60, 30};
const Window kOnce{"ops", "kernel", {}, 1300, 1480, 0};
// Sundays from 02:00 to 04:00.
const Window kWeekly{"ops",
                     "restart",
                     {"users"},
                     kAnchorBase + 6 * 86400 + 7200,
                     kAnchorBase + 6 * 86400 + 14400,
                     kWeekSeconds};

}  // namespace

TEST_CASE("a window holds from its begin to before its end", "[maintenance]") {
  CHECK_FALSE(find_suppression({kOnce}, "users", 1299));
  CHECK(find_suppression({kOnce}, "users", 1300) == Suppression{"ops", "kernel", 1480});
  CHECK(find_suppression({kOnce}, "users", 1479));
  CHECK_FALSE(find_suppression({kOnce}, "users", 1480));
}

TEST_CASE("a weekly window is every week, for the collectors named alone", "[maintenance]") {
  const WallSeconds sunday = parse_second("2028-02-27T03:00:00Z").value();

  CHECK(find_suppression({kWeekly}, "users", sunday) ==
        Suppression{"ops", "restart", parse_second("2028-02-27T04:00:00Z").value()});
  CHECK_FALSE(find_suppression({kWeekly}, "groups", sunday));
  CHECK_FALSE(find_suppression({kWeekly}, "users", sunday + 3600));
  CHECK_FALSE(find_suppression({kWeekly}, "users", sunday - 3601));
  CHECK(find_suppression({kWeekly}, "users", sunday + kWeekSeconds));
  CHECK_FALSE(find_suppression({kWeekly}, "users", kWeekly.from - kWeekSeconds));
}

TEST_CASE("of two windows the one that ends last is named", "[maintenance]") {
  const Window longer{"dba", "restore", {}, 1400, 2000, 0};

  CHECK(find_suppression({kOnce, longer}, "users", 1450)->by == "dba");
  CHECK(find_suppression({longer, kOnce}, "users", 1450)->by == "dba");
  CHECK(find_suppression({longer, kOnce}, "users", 1350)->by == "ops");
}

TEST_CASE("ticks are cut where windows begin and end, and none is lost", "[maintenance]") {
  const auto slices = slice_ticks(kEvery60, {3, 12}, {kOnce});

  REQUIRE(slices.size() == 3);
  CHECK(slices[0].ticks == TickRange{3, 4});
  CHECK_FALSE(slices[0].suppressed);
  CHECK(slices[1].ticks == TickRange{5, 7});  // Due at 1300, 1360, 1420; 1480 is the end.
  CHECK(slices[1].suppressed->reason == "kernel");
  CHECK(slices[2].ticks == TickRange{8, 12});
  CHECK_FALSE(slices[2].suppressed);
}

TEST_CASE("a window between two ticks cuts nothing", "[maintenance]") {
  const Window between{"ops", "short", {}, 1301, 1359, 0};

  const auto slices = slice_ticks(kEvery60, {3, 12}, {between});

  REQUIRE(slices.size() == 1);
  CHECK(slices[0].ticks == TickRange{3, 12});
}

TEST_CASE("a leap of centuries over weekly windows is cut a bounded number of times",
          "[maintenance]") {
  const ScheduleEntry hourly{"users", kAnchorBase, 3600, 30};

  const auto slices = slice_ticks(hourly, {0, 24 * 365 * 300}, {kWeekly});

  CHECK(slices.size() < 200);
  std::int64_t next = 0;
  for (const TickSlice& slice : slices) {
    CHECK(slice.ticks.first == next);
    next = slice.ticks.last + 1;
  }
  CHECK(next == 24 * 365 * 300 + 1);
  CHECK_FALSE(slices.back().suppressed);
}

TEST_CASE("windows read back from the config blob are those that were written", "[maintenance]") {
  const std::vector<Window> windows{kOnce, kWeekly};
  const std::string blob = json::write(json::Object{{"maintenance", to_json(windows)}});

  CHECK(windows_of_config(blob).value() == windows);
  CHECK(windows_of_config("{}").value().empty());
  CHECK_FALSE(windows_of_config(R"({"maintenance":[{"by":"a"}]})"));
  CHECK_FALSE(windows_of_config(
      R"({"maintenance":[{"by":"a","reason":"b","from":"2026-01-01T00:00:00Z","until":"2026-01-01T00:00:00Z"}]})"));
}

TEST_CASE("who and why is one line of text", "[maintenance]") {
  const std::string bad = GENERATE(as<std::string>{}, "", "a\nb", "\xff", std::string(201, 'x'));

  CHECK(is_window_text("kernel update, CHG-1042"));
  CHECK_FALSE(is_window_text(bad));
}

}  // namespace vouch::agent
