// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/watch_triggers.h"

#include <catch2/catch.hpp>

namespace vouch::agent {
namespace {

constexpr std::int64_t kMs = 1000;

}  // namespace

TEST_CASE("a change is a run once things are quiet for the debounce time", "[watch]") {
  WatchTriggers triggers(500, 10'000);
  triggers.note({{"drift", "/etc/a"}}, 0);
  triggers.note({{"drift", "/etc/b"}}, 300 * kMs);

  CHECK(triggers.take_due(799 * kMs).empty());
  CHECK(triggers.next_us() == 800 * kMs);
  const auto due = triggers.take_due(800 * kMs);

  REQUIRE(due.size() == 1);
  CHECK(due[0] == WatchChange{"drift", "/etc/a"});
  CHECK_FALSE(triggers.next_us());
}

TEST_CASE("a path that is never quiet is looked at all the same", "[watch]") {
  WatchTriggers triggers(500, 10'000);
  std::int64_t now = 0;
  while (triggers.take_due(now).empty()) {
    triggers.note({{"drift", "/etc/a"}}, now);
    now += 100 * kMs;
    REQUIRE(now < 10'000 * kMs);
  }
  CHECK(now == 5000 * kMs);
}

TEST_CASE("a busy path is one run per gap, and the last change has a run after it", "[watch]") {
  WatchTriggers triggers(500, 10'000);
  std::vector<std::int64_t> runs;
  for (std::int64_t now = 0; now < 60'000 * kMs; now += 50 * kMs) {
    if (now <= 30'000 * kMs) triggers.note({{"drift", "/etc/a"}}, now);
    if (!triggers.take_due(now).empty()) runs.push_back(now);
  }
  REQUIRE(runs.size() == 4);
  for (std::size_t i = 1; i < runs.size(); ++i) CHECK(runs[i] - runs[i - 1] >= 10'000 * kMs);
  CHECK(runs.back() >= 30'500 * kMs);
}

TEST_CASE("collectors do not wait for each other", "[watch]") {
  WatchTriggers triggers(500, 10'000);
  triggers.note({{"drift", "/etc/a"}}, 0);
  REQUIRE(triggers.take_due(500 * kMs).size() == 1);
  triggers.note({{"access", "/etc/passwd"}, {"drift", "/etc/a"}}, 600 * kMs);

  const auto due = triggers.take_due(1100 * kMs);

  REQUIRE(due.size() == 1);
  CHECK(due[0].collector == "access");
  CHECK(triggers.next_us() == 10'500 * kMs);
}

}  // namespace vouch::agent
