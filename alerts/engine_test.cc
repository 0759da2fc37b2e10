// SPDX-License-Identifier: Apache-2.0
#include "alerts/engine.h"

#include <chrono>

#include "alerts/engine_world_test.h"

namespace vouch::alerts {
namespace {

const std::string kChannels = R"(
channels:
  ops: { kind: journal }
  pager: { kind: journal }
)";

const std::string kOne = kChannels + R"(
rules:
  - name: all
    channels: [ops]
)";

}  // namespace

TEST_CASE("a condition is told once, and once when it is over", "[alerts]") {
  EngineWorld world(kOne);

  CHECK(said(world.step({report({condition("a.x")})})) == Said{"ops: check/a.x firing"});
  for (int i = 0; i < 10; ++i) {
    world.now += 5 * kMinute;
    CHECK(world.step({report({condition("a.x")})}).empty());
  }
  world.now += kMinute;
  const auto over = world.step({report({})});

  CHECK(said(over) == Said{"ops: check/a.x resolved"});
  CHECK(over[0].conditions[0].since == 1'790'000'000'000);
  CHECK(over[0].conditions[0].ended == world.now);
  CHECK(over[0].conditions[0].holds_until == 0);
  world.now += kDay;
  CHECK(world.step({report({})}).empty());
  CHECK(world.rows.empty());
}

TEST_CASE("reporting the same twice changes nothing that is stored", "[alerts]") {
  EngineWorld world(kOne);
  world.step({report({condition("a.x")})});
  const auto rows = world.rows;

  CHECK(world.step({report({condition("a.x")}), report({condition("a.x")})}).empty());

  CHECK(world.rows == rows);
}

TEST_CASE("what one source leaves out says nothing about another's conditions", "[alerts]") {
  EngineWorld world(kOne);
  world.step({report({condition("a.x")}, "outcomes/users")});

  CHECK(world.step({report({}, "outcomes/packages")}).empty());
}

TEST_CASE("conditions of one report come in one alert, the worst first", "[alerts]") {
  EngineWorld world(kOne);

  const auto alerts =
      world.step({report({condition("a.x", Severity::low), condition("b.y", Severity::critical)})});

  CHECK(said(alerts) == Said{"ops: check/b.y firing, check/a.x firing"});
  CHECK(alerts[0].group == Labels{{"kind", "control-drift"}});
}

TEST_CASE("a group rests between alerts, and then tells all that came meanwhile", "[alerts]") {
  EngineWorld world(kOne);
  world.step({report({condition("a.x")})});
  world.now += 10'000;
  CHECK(world.step({report({condition("a.x"), condition("b.y")})}).empty());
  world.now += 10'000;
  CHECK(world.step({report({condition("b.y"), condition("c.z")})}).empty());

  REQUIRE(world.wake);
  CHECK(*world.wake == 1'790'000'000'000 + kMinute);
  CHECK(said(world.run_until(world.now + kMinute)) ==
        Said{"ops: check/a.x resolved, check/b.y firing, check/c.z firing"});
}

TEST_CASE("a new group gathers for as long as it is told to", "[alerts]") {
  EngineWorld world(kChannels + "rules: [{ name: all, channels: [ops], group_wait: 30s }]\n");
  CHECK(world.step({report({condition("a.x"), condition("b.y")})}).empty());
  world.now += 10'000;
  CHECK(world.step({report({condition("a.x")})}).empty());  // b was over before anyone was told.

  CHECK(said(world.run_until(world.now + kMinute)) == Said{"ops: check/a.x firing"});
}

TEST_CASE("conditions are grouped by the labels that the rule names", "[alerts]") {
  EngineWorld world(kChannels +
                    "rules: [{ name: all, channels: [ops], group_by: [control, severity] }]\n");

  const auto alerts = world.step({report({condition("a.x"), condition("a.y"), condition("b.z")})});

  CHECK(said(alerts) == Said{"ops: check/a.x firing, check/a.y firing", "ops: check/b.z firing"});
}

TEST_CASE("the first rule that matches takes a condition, unless it goes on", "[alerts]") {
  EngineWorld world(kChannels + R"(
rules:
  - { name: quiet, match: { controls: [noisy*] } }
  - { name: bad, match: { severity: high }, channels: [pager], continue: true }
  - { name: rest, channels: [ops] }
)");

  const auto alerts = world.step({report({condition("noisy-one.x", Severity::critical),
                                          condition("a.x"), condition("b.y", Severity::low)})});

  CHECK(said(alerts) == Said{"pager: check/a.x firing", "ops: check/a.x firing, check/b.y firing"});
}

TEST_CASE("a condition stays with the rule that told it until it is over", "[alerts]") {
  EngineWorld world(kChannels + R"(
rules:
  - { name: drift, match: { kinds: [control-drift] }, channels: [pager] }
  - { name: rest, channels: [ops] }
)");
  world.step({report({condition("a.x")})});
  Condition unjudged = condition("a.x", Severity::medium);
  unjudged.kind = kind::kNotJudged;
  world.now += kHour;

  // No evidence is not a pass: it is told as what it is now, to whoever was told before.
  CHECK(said(world.step({report({unjudged})})) ==
        Said{"pager: check/a.x firing", "ops: check/a.x firing"});
  world.now += kHour;
  CHECK(said(world.step({report({})})) ==
        Said{"pager: check/a.x resolved", "ops: check/a.x resolved"});
}

TEST_CASE("what gets worse is told again, what gets better is not", "[alerts]") {
  EngineWorld world(kOne);
  Condition bad = condition("a.x");
  world.step({report({bad})});
  const auto after = [&](std::int64_t rows, Severity severity) {
    world.now += kHour;
    bad.magnitude = rows;
    bad.severity = severity;
    bad.value = std::to_string(rows) + " rows";
    return world.step({report({bad})}).size();
  };

  CHECK(after(3, Severity::high) == 1);
  CHECK(after(2, Severity::high) == 0);
  CHECK(after(3, Severity::high) == 0);
  CHECK(after(4, Severity::high) == 1);
  CHECK(after(4, Severity::critical) == 1);
  CHECK(after(4, Severity::low) == 0);
}

TEST_CASE("what still fires is repeated as one alert, and can be held to be over after",
          "[alerts]") {
  EngineWorld world(kOne);
  const auto first = world.step({report({condition("a.x")})});
  CHECK(first[0].conditions[0].holds_until == world.now + 25 * kHour);
  CHECK_FALSE(first[0].repeat);
  world.now += kHour;
  world.step({report({condition("a.x"), condition("b.y")})});

  const auto repeats = world.run_until(1'790'000'000'000 + 25 * kHour);

  CHECK(said(repeats) ==
        Said{"ops: check/a.x firing, check/b.y firing", "ops: check/a.x firing, check/b.y firing"});
  CHECK(repeats[0].repeat);
  CHECK(repeats[0].made == 1'790'000'000'000 + 12 * kHour);
}

TEST_CASE("a rule may want no repeats and no word of the end", "[alerts]") {
  EngineWorld world(
      kChannels +
      "rules: [{ name: all, channels: [ops], repeat_interval: 0s, resolved: false }]\n");
  CHECK(world.step({report({condition("a.x")})}).size() == 1);

  CHECK(world.run_until(world.now + 400 * kDay).empty());
  CHECK(world.step({report({})}).empty());
  world.now += kDay;
  CHECK(world.step({report({condition("a.x")})}).size() == 1);
}

TEST_CASE("a promise that is not kept fires by itself, and one that is kept does not", "[alerts]") {
  EngineWorld world(kOne);
  Condition silence = condition("silence");
  silence.kind = kind::kSilence;
  for (int i = 0; i < 100; ++i) {
    silence.from = world.now + 15 * kMinute;
    CHECK(world.step({report({silence}, "silence/users")}).empty());
    CHECK(world.run_until(world.now + 5 * kMinute).empty());
  }

  CHECK(said(world.run_until(world.now + kHour)) == Said{"ops: check/silence firing"});
  silence.from = world.now + 15 * kMinute;
  CHECK(said(world.step({report({silence}, "silence/users")})) ==
        Said{"ops: check/silence resolved"});
}

TEST_CASE("what is only for a time ends without a word", "[alerts]") {
  EngineWorld world(kOne);
  Condition once = condition("rollback");
  once.until = world.now + kDay;
  CHECK(world.step({report({once}, "rollback/7")}).size() == 1);

  CHECK(said(world.run_until(world.now + 10 * kDay)) == Said{"ops: check/rollback firing"});
  CHECK(world.step({report({once}, "rollback/7")}).empty());
  CHECK(world.rows.empty());
}

TEST_CASE("what begins and ends again and again is told as flapping, once", "[alerts]") {
  EngineWorld world(kOne);
  Said all;
  for (int i = 0; i < 40; ++i) {
    const bool there = i % 2 == 0;
    const auto conditions = there ? std::vector{condition("a.x")} : std::vector<Condition>{};
    for (const auto& one : said(world.step({report(conditions)}))) all.push_back(one);
    for (const auto& one : said(world.run_until(world.now + 2 * kMinute))) all.push_back(one);
  }

  CHECK(all == Said{"ops: check/a.x firing", "ops: check/a.x resolved", "ops: check/a.x firing",
                    "ops: check/a.x resolved", "ops: check/a.x firing", "ops: check/a.x flapping"});
  // It ended for good: that is told once it has been still for an hour.
  CHECK(said(world.run_until(world.now + 2 * kHour)) == Said{"ops: check/a.x resolved"});
}

TEST_CASE("above the rate limit alerts are counted and told in a digest", "[alerts]") {
  EngineWorld world(kChannels + R"(
rate_limit: { alerts: 3, per: 1h }
rules: [{ name: all, channels: [ops], group_by: [check], repeat_interval: 0s }]
)");
  std::vector<Condition> many;
  for (int i = 0; i < 30; ++i) {
    const auto severity = i > 27 ? Severity::critical : Severity::high;
    many.push_back(condition("c" + std::to_string(i) + ".x", severity));
  }

  CHECK(said(world.step({report(many)})) ==
        Said{"ops: check/c28.x firing", "ops: check/c29.x firing", "ops: check/c0.x firing"});
  REQUIRE(world.wake);
  CHECK(*world.wake == world.now + kHour);
  const auto later = world.run_until(world.now + 2 * kHour);

  REQUIRE(said(later) == Said{"ops: digest"});
  const Held& held = later[0].held;
  CHECK(held.firing == 27);
  CHECK(held.resolved == 0);
  CHECK(held.severities == std::map<std::string, std::int64_t>{{"high", 27}});
  CHECK(held.titles.size() == kHeldTitlesMax);
  CHECK(held.since == 1'790'000'000'000);
  CHECK(world.run_until(world.now + kDay).empty());
  // They count as told: their ends are told of.
  CHECK(world.step({report({})}).size() == 3);
}

TEST_CASE("a queue without room holds back too, and loses nothing", "[alerts]") {
  EngineWorld world(kOne);
  world.room = 0;
  CHECK(world.step({report({condition("a.x")})}).empty());
  world.run_until(world.now + 3 * kMinute);
  world.room = 10;

  CHECK(said(world.run_until(world.now + kMinute)) == Said{"ops: digest"});
}

TEST_CASE("more conditions than anyone reads are one condition that says how many", "[alerts]") {
  EngineWorld world(kOne);
  std::vector<Condition> many;
  for (int i = 0; i < 1200; ++i) many.push_back(condition("c" + std::to_string(i) + ".x"));

  const auto alerts = world.step({report(many)});

  std::size_t told = 0;
  std::string last;
  for (const Alert& alert : alerts) {
    CHECK(alert.conditions.size() <= kAlertConditionsMax);
    told += alert.conditions.size();
    for (const auto& each : alert.conditions) {
      if (each.condition.key == "outcomes/users/more") last = each.condition.title;
    }
  }
  CHECK(told == kConditionsPerReportMax);
  CHECK(last == "701 more conditions of outcomes/users");
}

TEST_CASE("a clock that is set back a year makes nothing silent", "[alerts]") {
  EngineWorld world(kOne);
  world.step({report({condition("a.x")})});
  world.now -= 365 * kDay;

  CHECK(said(world.step({report({condition("a.x"), condition("b.y")})})).size() == 1);
  world.now += kHour;
  CHECK(said(world.step({report({condition("b.y")})})) == Said{"ops: check/a.x resolved"});
}

TEST_CASE("new rules tell what fires to whom the old ones did not", "[alerts]") {
  EngineWorld world(kOne);
  world.step({report({condition("a.x")})});
  const auto rules = parse_rules(kChannels + "rules: [{ name: new, channels: [pager] }]\n", "r");
  REQUIRE(rules);
  world.rules = *rules;

  CHECK(said(world.step()) == Said{"pager: check/a.x firing"});
  CHECK(world.step().empty());
  world.now += kHour;
  CHECK(said(world.step({report({})})) == Said{"pager: check/a.x resolved"});
}

TEST_CASE("a damaged row of the state is told by its key", "[alerts]") {
  State state;

  const auto bad = GENERATE(as<std::string>{}, "", "{}", "[]", "{\"condition\":1}");
  CAPTURE(bad);
  const auto loaded = state.load("c/check/a", bad);

  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().code == Errc::corrupt);
  CHECK(loaded.error().message == "the state of alerts is damaged at c/check/a");
}

TEST_CASE("a year of runs every five minutes with a drift each week takes a second", "[alerts]") {
  EngineWorld world(kOne);
  State state;
  const auto begun = std::chrono::steady_clock::now();
  std::size_t told = 0;
  std::size_t steps = 0;
  for (WallMs minute = 0; minute < 365 * 24 * 60; minute += 5) {
    const bool drifted = minute % (7 * 24 * 60) < 24 * 60;  // A day in each week.
    world.now += 5 * kMinute;
    const auto alerts =
        advance(world.rules, {"a", "h"}, state,
                {report(drifted ? std::vector{condition("a.x")} : std::vector<Condition>{})},
                {world.now, 1000});
    for (const Alert& alert : alerts) told += alert.conditions.size();
    (void)state.take_changes();
    ++steps;
  }
  const auto took = std::chrono::steady_clock::now() - begun;

  // 53 weeks begin in a year; each drift is told, repeated after 12 hours, and told to be over. The
  // last one is still there.
  CHECK(told == 53 * 3 - 1);
  CHECK(steps == 105'120);
  WARN(std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms");
}

}  // namespace vouch::alerts
