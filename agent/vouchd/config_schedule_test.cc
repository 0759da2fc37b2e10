// SPDX-License-Identifier: Apache-2.0
// The sections of the configuration that say when.
#include <string>

#include <catch2/catch.hpp>

#include "agent/vouchd/config.h"
#include "agent/vouchd/config_blob.h"

namespace vouch::agent {
namespace {

const std::string kMinimal = "collectors:\n  users: { watch: [/etc/passwd, /etc/ssh] }\n";

std::string message_of(const std::string& text) {
  const auto config = parse_config(kMinimal + text, "c.yaml");
  return config ? "(accepted)" : config.error().message;
}

std::string window(const std::string& members) {
  return message_of("maintenance:\n  - { by: ops, reason: upgrade, " + members + " }\n");
}

}  // namespace

TEST_CASE("maintenance windows are read, once or weekly, for all collectors or some", "[config]") {
  const auto config = parse_config(kMinimal + R"(maintenance:
  - { by: ops, reason: "kernel, CHG-1", from: 2026-12-05T22:00:00Z, until: 2026-12-06T02:00:00Z }
  - by: dba@example.com
    reason: restore test
    weekly: { day: sunday, time: "02:30", duration: 90m }
    collectors: [users]
)",
                                   "c.yaml");
  if (!config) FAIL(config.error().message);

  const auto& windows = config->maintenance;
  REQUIRE(windows.size() == 2);
  CHECK(windows[0].reason == "kernel, CHG-1");
  CHECK(windows[0].from == parse_second("2026-12-05T22:00:00Z").value());
  CHECK(windows[0].repeat_s == 0);
  CHECK(windows[0].collectors.empty());
  const WallSeconds sunday = parse_second("2026-12-06T02:30:00Z").value();
  CHECK(find_suppression(windows, "users", sunday));
  CHECK(find_suppression(windows, "users", sunday + 5399));
  CHECK_FALSE(find_suppression(windows, "users", sunday + 5400));
  CHECK_FALSE(find_suppression(windows, "users", sunday - 1));

  // They are on record, and read back from there by an agent that starts later.
  CHECK(windows_of_config(write_config_blob(*config, {}, {})).value() == windows);
}

TEST_CASE("a window that is not whole is refused, with what is allowed", "[config]") {
  CHECK(window("from: 2026-12-05T22:00:00Z, until: 2026-12-06T02:00:00Z") == "(accepted)");
  CHECK_THAT(window("from: 2026-12-05T22:00:00Z"), Catch::Contains("from and until, or weekly"));
  CHECK_THAT(window("from: 2026-12-05T22:00:00Z, until: 2026-12-05T22:00:00Z"),
             Catch::Contains("until is after from"));
  CHECK_THAT(window("from: 2026-12-05T22:00:00Z, until: 2027-12-05T22:00:00Z"),
             Catch::Contains("at most 31 days"));
  CHECK_THAT(window("from: tomorrow, until: 2026-12-06T02:00:00Z"),
             Catch::StartsWith("c.yaml:4:39: from: expected a time such as"));
  CHECK_THAT(window("weekly: { day: sun, time: \"02:00\", duration: 1h }"),
             Catch::Contains("a day in full"));
  CHECK_THAT(window("weekly: { day: sunday, time: \"24:00\", duration: 1h }"),
             Catch::Contains("a time in UTC"));
  CHECK_THAT(window("weekly: { day: sunday, time: \"2:00\", duration: 1h }"),
             Catch::Contains("a time in UTC"));
  CHECK_THAT(window("weekly: { day: sunday, time: \"02:00\", duration: 7d }"),
             Catch::Contains("not between"));
  CHECK_THAT(window("weekly: { day: sunday, time: \"02:00\" }"),
             Catch::Contains("day, time and duration"));
  CHECK_THAT(window("weekly: { day: sunday, time: \"02:00\", duration: 1h }, "
                    "from: 2026-12-05T22:00:00Z"),
             Catch::Contains("or weekly"));
  CHECK_THAT(window("weekly: { day: sunday, time: \"02:00\", duration: 1h }, "
                    "collectors: [nobody]"),
             Catch::Contains("no collector nobody is configured"));
  CHECK_THAT(message_of("maintenance:\n  - { from: 2026-12-05T22:00:00Z, until: "
                        "2026-12-06T02:00:00Z }\n"),
             Catch::Contains("by whom and the reason"));
  CHECK_THAT(message_of("maintenance: {}\n"), Catch::Contains("a list of up to 64"));
}

TEST_CASE("how long to wait on a busy host, and when paths are looked at, is bounded", "[config]") {
  const auto config = parse_config(
      kMinimal + "busy: { delay_max: 0s }\nwatch_debounce: 2s\nwatch_gap: 1m\n", "c.yaml");
  REQUIRE(config);
  CHECK(config->busy == BusyLimits{0, 60, 200});
  CHECK(config->watch_debounce_ms == 2000);
  CHECK(config->watch_gap_s == 60);
  CHECK(parse_config(kMinimal, "c.yaml")->watch_debounce_ms == 500);

  CHECK_THAT(message_of("busy: { delay_max: 2h }\n"), Catch::Contains("not between"));
  CHECK_THAT(message_of("busy: { pressure: 101 }\n"), Catch::Contains("not between"));
  CHECK_THAT(message_of("busy: { cpu: 1 }\n"), Catch::Contains("unknown key"));
  CHECK_THAT(message_of("watch_debounce: 5ms\n"), Catch::Contains("not between"));
  CHECK_THAT(message_of("watch_debounce: 500\n"), Catch::Contains("500ms or 2s"));
  CHECK_THAT(message_of("watch_debounce: ms\n"), Catch::Contains("500ms or 2s"));
  CHECK_THAT(message_of("watch_gap: 0s\n"), Catch::Contains("not between"));
}

TEST_CASE("watched paths are absolute and written as events name them", "[config]") {
  const auto config = parse_config(kMinimal, "c.yaml");
  REQUIRE(config);
  CHECK(config->collectors[0].watch == std::vector<std::string>{"/etc/passwd", "/etc/ssh"});

  const std::string bad = GENERATE("etc", "/", "/etc/", "/etc/../x", "/etc//ssh", "/./etc");
  CAPTURE(bad);
  const auto refused = parse_config("collectors:\n  users: { watch: [" + bad + "] }\n", "c.yaml");
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message, Catch::Contains("absolute paths"));
}

}  // namespace vouch::agent
