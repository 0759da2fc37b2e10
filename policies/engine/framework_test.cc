// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/framework.h"

#include <catch2/catch.hpp>

#include "policies/engine/scorecard.h"

namespace vouch::policy {
namespace {

constexpr std::string_view kFramework = R"(framework: f-2017
title: F
edition: "2017"
criteria:
  - { id: A.1, title: One, category: c, group: g, host: direct }
  - { id: "2.2", title: Two, category: c, group: g }
  - { id: A.3, title: Three, category: c, group: g, host: none }
  - { id: A.4, title: Four, category: c, group: g }
  - { id: A.5, title: Five, category: c, group: g }
)";

constexpr std::string_view kMapping = R"(framework: f-2017
mappings:
  - { control: a, criterion: A.1, relation: evidences, why: w }
  - { control: a, criterion: "2.2", relation: evidences, when: { days: { at_most: 60 } }, why: w }
  - { control: b, criterion: A.1, relation: evidences, why: w }
  - { control: b, criterion: A.5, relation: supports, why: w }
  - { control: c, unmapped: nobody asks }
)";

constexpr std::string_view kPack = R"(pack: p
controls:
  - { id: a, title: t, frequency_s: 3600, checks: [ { id: a.x, title: t, ref: AR-001, severity: low, rationale: r, remediation: r, tables: [users], params: { days: 90 }, sql: SELECT :days } ] }
  - { id: b, title: t, frequency_s: 3600, checks: [ { id: b.x, title: t, severity: low, rationale: r, remediation: r, tables: [users], sql: SELECT 1 }, { id: b.y, title: t, severity: low, rationale: r, remediation: r, tables: [users], sql: SELECT 1 } ] }
  - { id: c, title: t, frequency_s: 3600, checks: [ { id: c.x, title: t, severity: low, rationale: r, remediation: r, tables: [users], sql: SELECT 1 } ] }
)";

PackSet packs() {
  auto pack = load_pack(std::string(kPack), "p.yaml");
  if (!pack) FAIL(pack.error().message);
  std::vector<Pack> list;
  list.push_back(*std::move(pack));
  return *PackSet::make(std::move(list));
}

Outcome outcome(std::string check, OutcomeKind kind, std::vector<std::string> waivers = {}) {
  Outcome result;
  result.check = std::move(check);
  result.outcome = kind;
  result.waiver_ids = std::move(waivers);
  return result;
}

std::string replaced(std::string_view whole, std::string_view from, std::string_view to) {
  std::string text(whole);
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("frameworks, mappings and crosswalks are refused with the place of what is wrong",
          "[framework]") {
  CHECK_THAT(load_framework(replaced(kFramework, "A.3", "A.1"), "f.yaml").error().message,
             Catch::StartsWith("f.yaml:7:5: the criterion is there twice"));
  CHECK_THAT(
      load_framework(replaced(kFramework, "host: none", "host: some"), "f.yaml").error().message,
      Catch::Contains("not one of direct, supporting, none"));
  CHECK_THAT(load_mapping(replaced(kMapping, "relation: supports", "relation: proves"), "m.yaml")
                 .error()
                 .message,
             Catch::Contains("m.yaml:6:") && Catch::Contains("not one of evidences, supports"));
  CHECK_THAT(load_mapping(replaced(kMapping, "at_most: 60", "under: 60"), "m.yaml").error().message,
             Catch::Contains("unknown key \"under\""));
  CHECK_THAT(
      load_mapping(replaced(kMapping, "unmapped: nobody asks", "unmapped: x, why: y"), "m.yaml")
          .error()
          .message,
      Catch::Contains("stands alone"));
  CHECK_THAT(
      load_mapping(replaced(kMapping, "evidences, why: w", "evidences"), "m.yaml").error().message,
      Catch::Contains("\"why\" is missing"));
  CHECK(load_crosswalk("from: a\nto: b\npairs: [ { to: A.5.7, relation: new } ]\n", "x.yaml"));
  CHECK_FALSE(
      load_crosswalk("from: a\nto: b\npairs: [ { to: A.5.7, relation: same } ]\n", "x.yaml"));
  CHECK_FALSE(load_crosswalk("from: a\nto: b\npairs: [ { from: A, to: A.5.7, relation: new } ]\n",
                             "x.yaml"));
}

TEST_CASE("a mapping is compared with its framework and packs", "[framework]") {
  const auto framework = load_framework(kFramework, "f.yaml");
  REQUIRE(framework);
  const auto set = packs();
  const auto problems = [&](std::string_view from, std::string_view to) {
    auto mapping = load_mapping(replaced(kMapping, from, to), "m.yaml");
    if (!mapping) FAIL(mapping.error().message);
    auto found = check_mapping(*mapping, *framework, set);
    return found.size() == 1 ? found[0] : std::to_string(found.size()) + " problems";
  };

  CHECK(problems("control: a", "control: a") == "0 problems");
  CHECK(problems("criterion: A.5", "criterion: A.6") == "m.yaml:6:5: f-2017 has no criterion A.6");
  CHECK(problems("criterion: A.5", "criterion: A.1") ==
        "m.yaml:6:5: control b is mapped to A.1 twice");
  CHECK(problems("when: { days:", "when: { weeks:") ==
        "m.yaml:4:5: no check of control a has a parameter weeks");
  CHECK(problems("control: b, criterion: A.5", "control: z, criterion: A.5") ==
        "m.yaml:6:5: no pack has a control z");
  CHECK_THAT(problems("  - { control: c, unmapped: nobody asks }\n", ""),
             Catch::Contains("p.yaml:5:5: control c has no entry in m.yaml"));
  CHECK(problems("control: c, unmapped", "control: a, unmapped") == "2 problems");
}

TEST_CASE("a scorecard has a row for each criterion, and a bound that does not hold does not count",
          "[scorecard]") {
  const auto framework = load_framework(kFramework, "f.yaml");
  const auto mapping = load_mapping(kMapping, "m.yaml");
  REQUIRE(framework);
  REQUIRE(mapping);
  const auto set = packs();
  const std::vector<CriterionStatement> statements = {
      {"A.3", Coverage::attached, "Policy", "2026-06-30T00:00:01Z"},
      {"A.4", Coverage::attached, "Old policy", "2026-06-30T00:00:00Z"},
  };

  const auto card = make_scorecard(
      *framework, *mapping, set,
      {outcome("a.x", OutcomeKind::pass), outcome("b.x", OutcomeKind::waived, {"W-1"})}, statements,
      {"W-1"}, "2026-06-30T00:00:00Z");

  REQUIRE(card.rows.size() == 5);
  CHECK(card.rows[0].coverage == Coverage::tested_in_part);
  CHECK(card.rows[0].counts.pass == 1);
  CHECK(card.rows[0].counts.fail == 1);  // Claimed: nobody approved W-1.
  CHECK(card.rows[0].counts.claimed == 1);
  CHECK(card.rows[0].counts.waived == 0);
  CHECK(card.rows[0].counts.not_judged == 1);
  CHECK(card.rows[1].coverage == Coverage::gap);
  CHECK(card.rows[1].notes == std::vector<std::string>{"a does not count: days is 90, over 60"});
  CHECK(card.rows[2].coverage == Coverage::attached);
  CHECK(card.rows[2].statement == "Policy");
  CHECK(card.rows[3].coverage == Coverage::gap);
  CHECK(card.rows[3].notes == std::vector<std::string>{"\"Old policy\" expired on 2026-06-30"});
  CHECK(card.rows[4].coverage == Coverage::gap);
  CHECK(card.rows[4].notes == std::vector<std::string>{"b supports it, without testing it"});
  CHECK(card.tested_in_part + card.attached + card.not_applicable + card.gaps == 5);
  CHECK(card.gaps == 3);
}

TEST_CASE("errors alone leave a criterion a gap, and an approved waiver is counted as one",
          "[scorecard]") {
  const auto framework = load_framework(kFramework, "f.yaml");
  const auto mapping = load_mapping(kMapping, "m.yaml");
  const auto set = packs();

  const auto errors = make_scorecard(
      *framework, *mapping, set,
      {outcome("a.x", OutcomeKind::error), outcome("b.x", OutcomeKind::not_applicable)}, {}, {},
      "2026-06-30T00:00:00Z");
  const auto waived =
      make_scorecard(*framework, *mapping, set, {outcome("b.x", OutcomeKind::waived, {"W-1"})}, {},
                     {}, "2026-06-30T00:00:00Z");

  CHECK(errors.rows[0].coverage == Coverage::gap);
  CHECK(errors.counts.error == 1);
  CHECK(waived.rows[0].counts.waived == 1);
  CHECK(waived.rows[0].counts.claimed == 0);
}

TEST_CASE("JSON that names a check carries its row of the catalogue", "[scorecard]") {
  const auto framework = load_framework(kFramework, "f.yaml");
  const auto mapping = load_mapping(kMapping, "m.yaml");
  const auto set = packs();

  const auto text = json::write(
      to_json(make_scorecard(*framework, *mapping, set, {}, {}, {}, "2026-06-30T00:00:00Z")));
  const auto one = json::write(to_json(*set.find_check("a.x"), outcome("a.x", OutcomeKind::pass)));

  CHECK_THAT(text, Catch::Contains("\"check\":\"a.x\"") && Catch::Contains("\"ref\":\"AR-001\""));
  CHECK_THAT(one, Catch::Contains("\"ref\":\"AR-001\""));
}

}  // namespace vouch::policy
