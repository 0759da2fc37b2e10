// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/slots.h"

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include "core/digest.h"

namespace vouch::policy {
namespace {

constexpr WallMs kHour = WallMs{3600} * 1000;
constexpr WallMs kBegin = WallMs{1767225600} * 1000;  // 2026-01-01T00:00:00Z

std::string check_yaml(std::string_view id, std::int64_t max_days) {
  return fmt::format(
      "{{ id: {}, title: t, severity: low, rationale: r, remediation: r, tables: [users], params: "
      "{{ max_days: {} }}, sql: SELECT username FROM users WHERE days > :max_days }}",
      id, max_days);
}

struct Asked {
  std::int64_t frequency_s = 3600;
  std::vector<std::string> checks = {"a.x"};
  std::int64_t max_days = 90;
};

// A counter fed by hand: one host, one control, in a chain of one-hour bundles.
struct Counted {
  PolicySets sets;
  std::optional<verify::Period> period;
  SlotCounter counter;
  std::map<std::string, std::string> blobs;
  std::string policy;
  std::vector<ScheduleEntry> schedule = {{"access_review", kBegin / 1000, 3600, 30}};
  Bundle bundle;
  WallMs owed_from = kBegin;
  WallMs owed_to = kBegin + 10 * kHour;

  explicit Counted(std::optional<verify::Period> asked = std::nullopt)
      : period(asked), counter(sets, asked) {
    ask({});
    take_bundle(kBegin);
  }

  std::string keep(std::string bytes) {
    auto digest = sha256_hex(bytes);
    blobs[digest] = std::move(bytes);
    return digest;
  }
  void ask(const Asked& asked) {
    std::string checks;
    for (const auto& check : asked.checks) {
      checks += (checks.empty() ? "" : ", ") + check_yaml(check, asked.max_days);
    }
    policy = keep(keep(fmt::format("pack: p\ncontrols:\n  - {{ id: a, title: t, frequency_s: {}, "
                                   "checks: [ {} ] }}\n",
                                   asked.frequency_s, checks)) +
                  "  p\n");
  }
  void take_bundle(WallMs from) {
    bundle.period_from = from;
    counter.take_bundle({"agent-1", owed_from, bundle, schedule});
    bundle.records.clear();
  }
  void judge_as(WallMs at, OutcomeKind kind, const std::string& check = "a.x") {
    Observation observation;
    observation.run = "access_review/1";
    RunContent content;
    content.policy = policy;
    Outcome outcome;
    outcome.check = check;
    outcome.control = "a";
    outcome.outcome = kind;
    const std::vector<Outcome> outcomes{outcome};
    const auto read = [&](std::string_view digest) -> Result<std::string> {
      const auto blob = blobs.find(std::string(digest));
      if (blob == blobs.end()) return Error{Errc::not_found, "purged"};
      return blob->second;
    };
    counter.take_run({"agent-1", at, observation, content, &outcomes}, read);
  }
  // Judged `hours` hours after the begin.
  void judge(std::initializer_list<double> hours, const std::string& check = "a.x") {
    for (const auto hour : hours) {
      judge_as(kBegin + static_cast<WallMs>(hour * static_cast<double>(kHour)), OutcomeKind::pass,
               check);
    }
  }
  SlotReport report() {
    verify::Host host;
    host.agent = "agent-1";
    host.name = "web-01";
    host.owed_from = owed_from;
    host.owed_to = owed_to;
    return counter.finish({host});
  }
  ControlSlots slots() {
    auto all = report();
    REQUIRE(all.hosts.size() == 1);
    REQUIRE(all.hosts.front().controls.size() == 1);
    return all.hosts.front().controls.front();
  }
};

std::string fraction(const ControlSlots& slots) {
  return fmt::format("{}/{}", slots.judged, slots.required);
}

}  // namespace

TEST_CASE("a control that was judged in every slot operated", "[slots]") {
  Counted counted;
  counted.judge({0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5});

  const auto slots = counted.slots();

  CHECK(fraction(slots) == "10/10");
  CHECK(slots.operated());
  CHECK(slots.longest_gap_ms == kHour);
}

TEST_CASE("a slot that nobody judged stays open, and the gap is measured", "[slots]") {
  Counted counted;
  counted.judge({0.5, 1.5, 5.25, 5.5, 6.5, 7.5, 8.5});

  const auto slots = counted.slots();

  CHECK(fraction(slots) == "6/10");
  CHECK_FALSE(slots.operated());
  CHECK(slots.longest_gap_ms == kHour * 15 / 4);
  CHECK(slots.longest_gap_from == kBegin + kHour * 3 / 2);
}

TEST_CASE("only pass, fail, waived and not applicable fill a slot", "[slots]") {
  Counted counted;
  counted.judge_as(kBegin + kHour / 2, OutcomeKind::pass);
  counted.judge_as(kBegin + kHour * 3 / 2, OutcomeKind::fail);
  counted.judge_as(kBegin + kHour * 5 / 2, OutcomeKind::waived);
  counted.judge_as(kBegin + kHour * 7 / 2, OutcomeKind::not_applicable);
  counted.judge_as(kBegin + kHour * 9 / 2, OutcomeKind::error);

  const auto slots = counted.slots();

  CHECK(fraction(slots) == "4/10");
  CHECK(slots.errors == 1);
}

TEST_CASE("a run whose outcomes were dropped or purged fills no slot", "[slots]") {
  Counted counted;
  counted.judge({0.5});
  Observation observation;
  RunContent content;
  content.policy = counted.policy;
  const auto none = [](std::string_view) -> Result<std::string> {
    return Error{Errc::not_found, "purged"};
  };
  counted.counter.take_run({"agent-1", kBegin + kHour * 3 / 2, observation, content, nullptr},
                           none);

  CHECK(fraction(counted.slots()) == "1/10");
}

TEST_CASE("a slot is judged only where each check of the control was", "[slots]") {
  Counted counted;
  counted.ask({3600, {"a.x", "a.y"}, 90});
  counted.judge({0.25, 0.5, 1.5, 2.5}, "a.x");
  counted.judge({3.5}, "a.y");
  counted.judge({3.75}, "a.x");
  counted.judge({4.25, 4.5}, "a.y");

  const auto slots = counted.slots();

  CHECK(fraction(slots) == "1/10");
  CHECK(slots.longest_gap_ms == kHour * 25 / 4);  // a.x, from 3.75 to the end.
}

TEST_CASE("what is left over after the last whole slot belongs to it", "[slots]") {
  Counted counted;
  counted.owed_to = kBegin + kHour * 5 / 2;
  SECTION("judged in the rest") {
    counted.judge({0.5, 2.25});
    CHECK(fraction(counted.slots()) == "2/2");
  }
  SECTION("judged in both") {
    counted.judge({0.5, 1.5, 2.25});
    CHECK(fraction(counted.slots()) == "2/2");
  }
  SECTION("judged in neither") {
    counted.judge({0.5});
    CHECK(fraction(counted.slots()) == "1/2");
  }
  SECTION("one check in the slot, the other in the rest") {
    counted.ask({3600, {"a.x", "a.y"}, 90});
    counted.judge({0.25}, "a.x");
    counted.judge({0.5}, "a.y");
    counted.judge({1.5}, "a.x");
    counted.judge({2.25}, "a.y");
    CHECK(fraction(counted.slots()) == "2/2");
  }
}

TEST_CASE("a period shorter than a slot still has one", "[slots]") {
  Counted counted;
  counted.ask({86400, {"a.x"}, 90});
  SECTION("judged") {
    counted.judge({0.5});
    CHECK(fraction(counted.slots()) == "1/1");
  }
  SECTION("not judged") {
    counted.judge_as(kBegin + kHour, OutcomeKind::error);
    const auto slots = counted.slots();
    CHECK(fraction(slots) == "0/1");
    CHECK_FALSE(slots.operated());
    CHECK(slots.longest_gap_ms == 10 * kHour);
  }
}

TEST_CASE("only judgements inside the period count, by the policy that was in force", "[slots]") {
  const verify::Period period{kBegin + 2 * kHour, kBegin + 5 * kHour};
  Counted counted(period);
  counted.owed_from = period.from;
  counted.owed_to = period.to;
  counted.take_bundle(kBegin);
  SECTION("before, inside, after") {
    counted.judge({0.5, 1.5, 2.5, 4.5, 5.5, 6.5});
    CHECK(fraction(counted.slots()) == "2/3");
  }
  SECTION("errors and changes before it") {
    counted.judge_as(kBegin + kHour, OutcomeKind::error);
    counted.ask({3600, {"a.x"}, 365});
    counted.judge({1.5, 2.5});
    auto report = counted.report();
    CHECK(report.changes.empty());
    CHECK(report.hosts.front().controls.front().errors == 0);
    CHECK(report.hosts.front().controls.front().changes == 0);
  }
  SECTION("a host that fell silent before it began") {
    counted.judge({0.5, 1.5});
    CHECK(fraction(counted.slots()) == "0/3");
  }
}

TEST_CASE("a host that nobody judged has no slots, and says that no policy is known", "[slots]") {
  Counted counted;
  const auto report = counted.report();
  CHECK(report.hosts.front().controls.empty());

  PolicySets sets;
  SlotCounter never(sets, std::nullopt);
  verify::Host host;
  host.agent = "agent-2";
  CHECK(never.finish({host}).hosts.front().policy_unknown);
}

TEST_CASE("a longer frequency counts from its change on, and shows", "[slots]") {
  Counted counted;
  counted.judge({0.5, 1.5});
  counted.ask({7200, {"a.x"}, 90});
  counted.judge({4, 6.5, 8.5});  // The old one is owed until 4; then 4…6, 6…8 and 8…10.

  auto report = counted.report();
  const auto& slots = report.hosts.front().controls.front();

  CHECK(fraction(slots) == "5/7");
  CHECK(slots.frequency_s == 7200);
  CHECK(slots.changes == 1);
  REQUIRE(report.changes.size() == 1);
  CHECK(report.changes[0].kind == ChangeKind::pack);
  CHECK(report.changes[0].of == "a");
  CHECK(report.changes[0].what == "frequency 3600 s → 7200 s");
  CHECK(report.changes[0].first_at == kBegin + 4 * kHour);
}

TEST_CASE("a change does not hide for how long a check was not judged", "[slots]") {
  Counted counted;
  counted.judge({0.5});
  counted.ask({7200, {"a.x", "a.y"}, 90});
  counted.judge({5}, "a.y");
  counted.judge({9}, "a.x");
  CHECK(counted.slots().longest_gap_ms == kHour * 17 / 2);
}

TEST_CASE("changes of parameters and of the checks' text show, and cut no slot", "[slots]") {
  Counted counted;
  counted.judge({0.5});
  counted.ask({3600, {"a.x"}, 365});
  counted.judge({0.75, 1.5});

  auto report = counted.report();
  CHECK(fraction(report.hosts.front().controls.front()) == "2/10");
  REQUIRE(report.changes.size() == 1);
  CHECK(report.changes[0].kind == ChangeKind::parameters);
  CHECK(report.changes[0].what == R"({"a.x":{"max_days":90}} → {"a.x":{"max_days":365}})");
}

TEST_CASE("a control that leaves the policy is owed until then, and shows", "[slots]") {
  Counted counted;
  counted.judge({0.5, 1.5});
  counted.policy = counted.keep(
      counted.keep("pack: q\ncontrols:\n  - { id: b, title: t, frequency_s: 3600, checks: [ " +
                   check_yaml("b.x", 1) + " ] }\n") +
      "  q\n");
  counted.judge({4}, "b.x");

  auto report = counted.report();
  REQUIRE(report.hosts.front().controls.size() == 2);
  CHECK(fraction(report.hosts.front().controls[0]) == "2/4");
  CHECK(fraction(report.hosts.front().controls[1]) == "0/6");  // The outcome named another control.
  REQUIRE(report.changes.size() == 2);
  CHECK(report.changes[0].what == "no longer in force");
  CHECK(report.changes[1].what == "in force");
}

TEST_CASE("a shorter or dropped schedule, and suppressed runs, show at the control", "[slots]") {
  Counted counted;
  counted.judge({0.5});
  counted.schedule[0].interval_s = 21600;
  counted.bundle.records.emplace_back(
      RunSuppressed{0, "access_review", {1, 4}, "maintenance", "root", 0});
  counted.take_bundle(kBegin + kHour);
  counted.schedule.clear();
  counted.take_bundle(kBegin + 2 * kHour);

  auto report = counted.report();

  const auto& slots = report.hosts.front().controls.front();
  CHECK(slots.suppressed == 4);
  CHECK(slots.changes == 2);
  REQUIRE(report.changes.size() == 2);
  CHECK(report.changes[0].of == "access_review");
  CHECK(report.changes[0].what == "every 3600 s → every 21600 s");
  CHECK(report.changes[1].what == "every 21600 s → not scheduled");
}

TEST_CASE("a policy that was purged is said to be unknown, and the one before counts on",
          "[slots]") {
  Counted counted;
  counted.judge({0.5});
  const auto known = counted.policy;
  counted.ask({86400, {"a.x"}, 90});
  counted.blobs.erase(counted.policy);
  counted.judge({1.5});

  auto report = counted.report();

  CHECK(report.hosts.front().policy_unknown);
  CHECK(fraction(report.hosts.front().controls.front()) == "2/10");
}

}  // namespace vouch::policy
