// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/pack.h"

#include <catch2/catch.hpp>

#include "core/digest.h"

namespace vouch::policy {
namespace {

const std::string kGood = R"(pack: site.tiny
title: Tiny
controls:
  - id: c
    title: A control
    owner: it
    frequency_s: 3600
    checks:
      - id: c.one
        title: A check
        ref: AR-010
        severity: critical
        rationale: Because
        tables: [users]
        applies: SELECT 1 FROM users
        params: { days: 90, names: [a, b], strict: true, text: "90" }
        sql: |
          SELECT 1 FROM users
        remediation: Do
        tolerates_gaps: true
        tests:
          - { given: { users: [ { username: a } ] }, expect: [ { username: a } ], vanishes: [ empty users ] }
)";

Result<Pack> load(std::string text) {
  return load_pack(std::move(text), "p.yaml");
}

std::string with(std::string_view from, std::string_view to) {
  auto text = kGood;
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
  return text;
}

Result<PackSet> join(const std::vector<std::string>& texts) {
  std::vector<Pack> packs;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto pack = load_pack(texts[i], "p" + std::to_string(i) + ".yaml");
    if (!pack) return std::move(pack).error();
    packs.push_back(*std::move(pack));
  }
  return PackSet::make(std::move(packs));
}

}  // namespace

TEST_CASE("a pack is read with all its members", "[pack]") {
  auto pack = load(kGood);

  REQUIRE(pack);
  CHECK(pack->digest == sha256_hex(kGood));
  const auto& control = pack->controls.at(0);
  CHECK(control.frequency_s == 3600);
  const auto& check = control.checks.at(0);
  CHECK(check.ref == "AR-010");
  CHECK(check.severity == Severity::critical);
  CHECK(check.params.at("days") == json::Value(90));
  CHECK(check.params.at("text") == json::Value("90"));
  CHECK(check.params.at("names") == json::Value(json::Array{"a", "b"}));
  CHECK(check.params.at("strict") == json::Value(true));
  CHECK(check.tolerates_gaps);
  CHECK(check.sql == "SELECT 1 FROM users");
  CHECK(check.tests.at(0).expect_outcome == "fail");
  CHECK(check.tests.at(0).vanishes == std::vector<std::string>{"empty users"});
}

TEST_CASE("what is wrong in a pack is named with its place", "[pack]") {
  struct Wrong {
    const char* from;
    const char* to;
    const char* message;
  };
  const auto wrong = GENERATE(values<Wrong>({
      {"title: Tiny", "titel: Tiny", "p.yaml:2:1: unknown key \"titel\"; allowed are pack, title"},
      {"pack: site.tiny", "pack: -x", "p.yaml:1:7: \"-x\" is no id"},
      {"    title: A control\n", "", "p.yaml:4:5: \"title\" is missing"},
      {"frequency_s: 3600", "frequency_s: 1.5", "p.yaml:7:18: \"frequency_s\" must be an integer"},
      {"frequency_s: 3600", "frequency_s: 1", "must be an integer from 60 to 31622400"},
      {"frequency_s: 3600", "frequency_s: \"3600\"", "must be an integer"},
      {"id: c.one", "id: d.one", "the id must begin with \"c.\""},
      {"ref: AR-010", "ref: AR-10", "\"AR-10\" is no row such as AR-010"},
      {"severity: critical", "severity: urgent",
       "\"urgent\" is not one of low, medium, high, critical"},
      {"tables: [users]", "tables: []", "\"tables\" is missing or empty"},
      {"tables: [users]", "tables: [users, users]", "listed twice"},
      {"tables: [users]", "tables: [Users]", "no name of a table"},
      {"tables: [users]", "tables: [gaps, users]", "the first table must be a collector's"},
      {"tables: [users]", "tables: users", "\"tables\" must be a list"},
      {"days: 90", "days: 9.5", "p.yaml"},
      {"days: 90", "now: 90", "no name of a parameter"},
      {"days: 90", "days: { a: 1 }", "expected a text, a number"},
      {"days: 90", "days: null", "a parameter is an integer"},
      {"[a, b]", "[a, [b]]", "a parameter is an integer"},
      {"tolerates_gaps: true", "tolerates_gaps: yes", "must be true or false"},
      {"expect: [ { username: a } ]", "expect: fail", "expect is pass, error"},
      {"given: { users: [ { username: a } ] }, ", "", "\"given\" is missing"},
      {"given: { users: [ { username: a } ] }", "given: { users: { username: a } }",
       "expected a list of rows"},
      {"        sql: |\n          SELECT 1 FROM users\n", "", "\"sql\" is missing"},
      {"controls:", "controls: []\noverrides:", "unknown key"},
  }));
  CAPTURE(wrong.from, wrong.to);

  auto pack = load(with(wrong.from, wrong.to));

  REQUIRE_FALSE(pack);
  CHECK_THAT(pack.error().message, Catch::StartsWith("p.yaml:") && Catch::Contains(wrong.message));
}

TEST_CASE("a pack without controls and overrides is refused", "[pack]") {
  CHECK_FALSE(load("pack: x\n"));
  CHECK_FALSE(load("pack: x\ncontrols: []\n"));
  CHECK_FALSE(load(""));
  CHECK_FALSE(load("[]"));
}

TEST_CASE("a site pack changes a parameter, and the pack's own value is kept", "[pack]") {
  const std::string site =
      "pack: site\noverrides: [ { check: c.one, params: { days: 60, names: [] }, why: policy } ]\n";

  auto set = join({kGood, site});

  REQUIRE(set);
  const auto* check = set->find_check("c.one");
  REQUIRE(check != nullptr);
  CHECK(check->params.at("days") == json::Value(60));
  CHECK(check->default_params.at("days") == json::Value(90));
  CHECK(set->find_check("c.two") == nullptr);
  CHECK(set->pack_of_check("c.one")->id == "site.tiny");
  CHECK(set->find_control("c")->title == "A control");
}

TEST_CASE("packs that contradict each other are refused", "[pack]") {
  const std::string head = "pack: site\noverrides:\n";
  const std::string days = "  - { check: c.one, params: { days: 60 }, why: policy }\n";
  const auto same_control = with("pack: site.tiny", "pack: other");

  CHECK_THAT(join({kGood, kGood}).error().message,
             Catch::Contains("pack site.tiny is in two files"));
  CHECK_THAT(join({kGood, same_control}).error().message,
             Catch::Contains("control c is in p1.yaml too"));
  CHECK_THAT(join({kGood, head + days + days}).error().message,
             Catch::Contains("overridden twice"));
  CHECK_THAT(
      join({kGood, head + "  - { check: c.two, params: { days: 1 }, why: x }\n"}).error().message,
      Catch::Contains("p1.yaml:3:5: no pack has a check c.two"));
  CHECK_THAT(
      join({kGood, head + "  - { check: c.one, params: { day: 1 }, why: x }\n"}).error().message,
      Catch::Contains("has no parameter day"));
  CHECK_THAT(join({kGood, head + "  - { check: c.one, params: { days: \"1\" }, why: x }\n"})
                 .error()
                 .message,
             Catch::Contains("has another type"));
}

TEST_CASE("the policy set lists packs by digest, sorted by id", "[pack]") {
  const auto other = with("pack: site.tiny\ntitle: Tiny\ncontrols:\n  - id: c\n",
                          "pack: a\ntitle: Tiny\ncontrols:\n  - id: d\n");
  auto renamed = other;
  renamed.replace(renamed.find("id: c.one"), 9, "id: d.one");

  auto set = join({kGood, renamed});

  REQUIRE(set);
  CHECK(set->set_blob() == sha256_hex(renamed) + "  a\n" + sha256_hex(kGood) + "  site.tiny\n");
}

}  // namespace vouch::policy
