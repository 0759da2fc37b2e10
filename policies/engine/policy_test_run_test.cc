// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "policies/engine/policy_test.h"

namespace vouch::policy {
namespace {

constexpr std::string_view kTables = R"(tables:
  - table: users
    collector: access_review
    key: [username]
    columns: { username: text, can_login: boolean, shell: "bytes?" }
  - table: last_logins
    collector: access_review
    key: [username]
    columns: { username: text, last_login: "time?" }
)";

const std::string kHead = R"(pack: p
controls:
  - id: c
    title: t
    frequency_s: 3600
    checks:
      - id: c.x
        title: t
        ref: AR-010
        severity: low
        rationale: r
        remediation: r
        tables: [users, last_logins]
)";

const std::string kSql = R"(        sql: |
          SELECT u.username FROM users u JOIN last_logins l USING (username)
          WHERE u.can_login AND l.last_login < '2026-01-01T00:00:00Z'
)";

const std::string kTests = R"(        tests:
          - given: { users: [ { username: a, can_login: true } ], last_logins: [ { username: a, last_login: "2025-01-01T00:00:00Z" } ] }
            expect: [ { username: a } ]
            vanishes: [ null last_logins.last_login, empty last_logins ]
          - { given: { users: [], last_logins: [] }, expect: pass }
          - { given: { users: [] }, expect: error }
)";

std::vector<std::string> problems(const std::string& text) {
  auto catalog = load_catalog(kTables, "tables.yaml");
  if (!catalog) FAIL(catalog.error().message);
  REQUIRE(catalog);
  auto pack = load_pack(text, "p.yaml");
  if (!pack) FAIL(pack.error().message);
  std::vector<Pack> packs;
  packs.push_back(*std::move(pack));
  auto set = PackSet::make(std::move(packs));
  REQUIRE(set);
  std::vector<std::string> messages;
  for (const auto& problem : run_policy_tests(*set, *catalog).problems) {
    CHECK(problem.check == "c.x");
    CHECK(problem.ref == "AR-010");
    CHECK_THAT(problem.where, Catch::StartsWith("p.yaml:"));
    messages.push_back(problem.message);
  }
  return messages;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a check whose tests hold and say what vanishes has no problem", "[policy_test]") {
  CHECK(problems(kHead + kSql + kTests).empty());
}

TEST_CASE("a policy test finds what is wrong with a check", "[policy_test]") {
  struct Wrong {
    const char* from;
    const char* to;
    const char* message;
  };
  const auto wrong = GENERATE(values<Wrong>({
      {"expect: [ { username: a } ]", "expect: [ { username: b } ]", "expected the findings"},
      {"expect: [ { username: a } ]", "expect: pass",
       "expected pass, got fail: {\"username\":\"a\"}"},
      {"null last_logins.last_login, ", "",
       "a violation vanishes with \"null last_logins.last_login\""},
      {", empty last_logins", "", "a violation vanishes with \"empty last_logins\""},
      {"vanishes: [ ", "vanishes: [ gaps users, ", "but the violation stays"},
      {"vanishes: [ ", "vanishes: [ empty shadow, ", "which changes nothing here"},
      {"{ given: { users: [] }, expect: error }",
       "{ given: { users: [] , last_logins: [] }, expect: [] }", "no test leaves a table out"},
      {"{ given: { users: [], last_logins: [] }, expect: pass }",
       "{ given: { last_logins: [] }, expect: error }", "no test expects a pass"},
      {"username: a, can_login: true", "username: a, can_log: true",
       "table users has no column can_log"},
      {"username: a, can_login: true", "username: a, can_login: 1",
       "users.can_login is 1, but must be true or false"},
      {"username: a, can_login: true", "username: 5, can_login: true",
       "must be a text: put it in quotes"},
      {"username: a, can_login: true", "username: null, can_login: true", "not nullable"},
      {"\"2025-01-01T00:00:00Z\"", "yesterday", "column last_login: not a canonical time"},
      {"SELECT u.username", "SELECT u.nme", "sql: no such column: u.nme"},
      {"l.last_login <", "l.last_login < random() OR l.last_login <",
       "function random is not on the list"},
      {"JOIN last_logins l USING (username)", "JOIN users l USING (username)",
       "no such column: l.last_login"},
      {"'2026-01-01T00:00:00Z'\n", ":since\n", ":since is not among `params`"},
      {"USING (username)\n", "USING (username)\n          -- LIMIT\n", ""},
      {"WHERE u.can_login",
       "WHERE u.username IN (SELECT username FROM users LIMIT 1) AND u.can_login",
       "LIMIT without ORDER BY"},
      {"tables: [users, last_logins]", "tables: [users, last_logins, gaps]",
       "which the SQL does not read"},
      {"tables: [users, last_logins]", "tables: [users, last_logins, nobody]",
       "no collector has a table nobody"},
      {"tables: [users, last_logins]", "params: { x: 1 }\n        tables: [users, last_logins]",
       "the SQL does not use the parameter x"},
      {"tables: [users, last_logins]", "tolerates_gaps: true\n        tables: [users, last_logins]",
       ""},
  }));
  CAPTURE(wrong.from, wrong.to);

  const auto found = problems(replaced(kHead + kSql + kTests, wrong.from, wrong.to));

  if (*wrong.message == '\0') {
    CHECK(found.empty());
  } else {
    CHECK_THAT(found, Catch::VectorContains(std::string(wrong.message)) ||
                          Catch::Predicate<std::vector<std::string>>([&](const auto& list) {
                            for (const auto& each : list) {
                              if (each.find(wrong.message) != std::string::npos) return true;
                            }
                            return false;
                          }));
  }
}

}  // namespace vouch::policy
