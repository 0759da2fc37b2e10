// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/evaluate.h"

#include <catch2/catch.hpp>
#include <regex>

#include <algorithm>

#include "core/digest.h"
#include "policies/engine/waiver.h"

namespace vouch::policy {
namespace {

constexpr std::string_view kPack = R"(
pack: tiny
controls:
  - id: a
    title: Accounts are used
    frequency_s: 86400
    checks:
      - id: a.b
        title: Every account is used
        severity: high
        rationale: Forgotten accounts are taken over
        tables: [users, last_logins]
        applies: SELECT 1 FROM users WHERE can_login
        params: { max_days: 90 }
        sql: |
          SELECT u.username, l.last_login FROM users u LEFT JOIN last_logins l USING (username)
          WHERE u.can_login AND days_between(coalesce(l.last_login, '1970-01-01T00:00:00Z'), :now) > :max_days
        remediation: Close it
      - id: a.root
        title: Root is there
        ref: AR-001
        severity: low
        rationale: A host has a root
        tables: [users]
        sql: SELECT 'root' AS missing WHERE NOT EXISTS (SELECT 1 FROM users WHERE username = 'root')
        remediation: Add it
)";

SchemaMap schemas() {
  const auto column = [](std::string name, ColumnType type, bool nullable) {
    Column result;
    result.name = std::move(name);
    result.type = type;
    result.nullable = nullable;
    return result;
  };
  TableSchema users;
  users.name = "users";
  users.key = {"username"};
  users.columns = {column("username", ColumnType::text, false),
                   column("can_login", ColumnType::boolean, false)};
  TableSchema logins;
  logins.name = "last_logins";
  logins.key = {"username"};
  logins.columns = {column("username", ColumnType::text, false),
                    column("last_login", ColumnType::time, true)};
  return {{"users", users}, {"last_logins", logins}};
}

TableInput table(std::string name, std::string_view blob, std::string run = "") {
  return {std::move(name), std::move(run), sha256_hex(blob), "", blob};
}

TableInput failed(std::string name, std::string code, std::string run = "") {
  return {std::move(name), std::move(run), "", std::move(code), ""};
}

constexpr std::string_view kUsers = R"({"can_login":false,"username":"daemon"}
{"can_login":true,"username":"bob"}
{"can_login":true,"username":"root"}
)";
constexpr std::string_view kLogins = R"({"last_login":"2025-01-01T00:00:00Z","username":"bob"}
{"last_login":"2026-06-01T00:00:00Z","username":"root"}
)";
constexpr std::string_view kGap =
    "{\"code\":\"permission-denied\",\"message\":\"no\",\"object\":\"/"
    "x\",\"table_name\":\"users\"}\n";

// A run of access_review with two stale accounts' worth of tables, to be changed by each test.
struct Run {
  std::string columns = columns_blob(schemas());
  EvaluationRequest request;

  Run() {
    request.collector = "access_review";
    request.now = "2026-06-30T00:00:00Z";
    request.tables = {table("users", kUsers), table("last_logins", kLogins), table("gaps", "")};
    request.inputs = {table("columns", columns)};
  }

  TableInput& named(std::string_view name) {
    return *std::find_if(request.tables.begin(), request.tables.end(),
                         [&](const auto& each) { return each.name == name; });
  }

  Evaluation judged(Memo* memo = nullptr) const {
    auto packs = tiny();
    auto evaluation = evaluate(packs, request, memo);
    if (!evaluation) FAIL(evaluation.error().message);
    return *std::move(evaluation);
  }

  static PackSet tiny() {
    auto pack = load_pack(std::string(kPack), "tiny.yaml");
    if (!pack) FAIL(pack.error().message);
    std::vector<Pack> packs;
    packs.push_back(*std::move(pack));
    auto set = PackSet::make(std::move(packs));
    if (!set) FAIL(set.error().message);
    return *std::move(set);
  }
};

const Outcome& first(const Evaluation& evaluation) {
  return evaluation.outcomes.at(0);
}

}  // namespace

TEST_CASE("a run is judged to exactly these bytes", "[evaluate]") {
  Run run;

  const auto evaluation = run.judged();

  const std::string findings = "{\"last_login\":\"2025-01-01T00:00:00Z\",\"username\":\"bob\"}\n";
  CHECK(evaluation.findings.at(sha256_hex(findings)) == findings);
  CHECK(evaluation.outcomes_table.bytes ==
        "{\"check\":\"a.b\",\"control\":\"a\",\"findings\":\"" + sha256_hex(findings) +
            "\",\"message\":\"\",\"outcome\":\"fail\",\"violations\":1,\"waived\":0,\"waiver_ids\":"
            "\"\"}\n"
            "{\"check\":\"a.root\",\"control\":\"a\",\"findings\":\"" +
            std::string(kEmptyDigestHex) +
            "\",\"message\":\"\",\"outcome\":\"pass\",\"violations\":0,\"waived\":0,\"waiver_ids\":"
            "\"\"}\n");
  CHECK(evaluation.outcomes_table.sha256 == sha256_hex(evaluation.outcomes_table.bytes));
  CHECK(evaluation.findings.contains(std::string(kEmptyDigestHex)));
}

TEST_CASE("the order in which tables arrive changes nothing", "[evaluate]") {
  Run run;
  const auto once = run.judged();
  std::reverse(run.request.tables.begin(), run.request.tables.end());
  const std::string waivers = write_waivers({});
  run.request.inputs.insert(run.request.inputs.begin(), table("waivers", waivers));

  const auto again = run.judged();

  CHECK(once.outcomes_table.sha256 == again.outcomes_table.sha256);
}

TEST_CASE("gaps make an error of a pass, with the words of the format", "[evaluate]") {
  Run run;
  run.named("gaps") = table("gaps", kGap);
  run.request.now = "2025-01-02T00:00:00Z";

  const auto evaluation = run.judged();

  CHECK(first(evaluation).outcome == OutcomeKind::error);
  CHECK(evaluation.outcomes_table.bytes.substr(0, 130) ==
        "{\"check\":\"a.b\",\"control\":\"a\",\"findings\":null,\"message\":\"gaps: users\","
        "\"outcome\":\"error\",\"violations\":0,\"waived\":0,\"waiver_ids\":\"\"}\n");
}

TEST_CASE("gaps do not hide a violation", "[evaluate]") {
  Run run;
  run.named("gaps") = table("gaps", kGap);

  const auto evaluation = run.judged();

  CHECK(first(evaluation).outcome == OutcomeKind::fail);
  CHECK(first(evaluation).message == "gaps: users");
}

TEST_CASE("what is missing is an error that names it", "[evaluate]") {
  Run run;
  SECTION("a table with an error") {
    run.named("last_logins") = failed("last_logins", "permission-denied");
    CHECK(first(run.judged()).message == "missing: last_logins (permission-denied)");
  }
  SECTION("a table that nobody supplied") {
    std::erase_if(run.request.tables, [](const auto& each) { return each.name == "last_logins"; });
    CHECK(first(run.judged()).message == "missing: last_logins (not-found)");
  }
  SECTION("the gaps of the run") {
    run.named("gaps") = failed("gaps", "timeout");
    CHECK(first(run.judged()).message == "missing: users (its gaps: timeout)");
  }
  SECTION("the gaps of another run, where a table comes from") {
    std::erase_if(run.request.tables, [](const auto& each) { return each.name == "last_logins"; });
    run.request.inputs.push_back(table("last_logins", kLogins, "logins/7"));
    CHECK(first(run.judged()).message == "missing: last_logins (its gaps: not-found)");
  }
  CHECK(first(run.judged()).outcome == OutcomeKind::error);
  CHECK_FALSE(first(run.judged()).findings);
}

TEST_CASE("a check is judged in the runs of its first table's collector alone", "[evaluate]") {
  Run run;
  run.request.tables = {table("last_logins", kLogins), table("gaps", "")};
  run.request.inputs.push_back(table("users", kUsers, "access_review/1"));

  CHECK(run.judged().outcomes.empty());
}

TEST_CASE("a check that does not apply says so, unless gaps forbid to", "[evaluate]") {
  Run run;
  constexpr std::string_view kNobody = "{\"can_login\":false,\"username\":\"root\"}\n";
  run.named("users") = table("users", kNobody);

  CHECK(first(run.judged()).outcome == OutcomeKind::not_applicable);

  run.named("last_logins") = failed("last_logins", "timeout");
  CHECK(first(run.judged()).outcome == OutcomeKind::not_applicable);

  run.named("gaps") = table("gaps", kGap);
  CHECK(first(run.judged()).outcome == OutcomeKind::error);
  CHECK(first(run.judged()).message == "gaps: users");

  run.named("users") = failed("users", "timeout");
  CHECK(first(run.judged()).message == "missing: users (timeout)");
}

TEST_CASE("a waiver covers its rows while it is in force, and is counted", "[evaluate]") {
  Run run;
  Waiver waiver;
  waiver.id = "W-1";
  waiver.check_id = "a.b";
  waiver.match = {{"username", "bob"}};
  waiver.valid_from = "2026-06-30T00:00:00Z";
  waiver.valid_until = "2026-07-01T00:00:00Z";
  auto other = waiver;
  other.id = "W-0";
  other.match = {};
  const auto judged_with = [&](const std::vector<Waiver>& waivers, std::string now) {
    const auto blob = write_waivers(waivers);
    run.request.inputs = {table("columns", run.columns), table("waivers", blob)};
    run.request.now = std::move(now);
    return first(run.judged());
  };

  const auto covered = judged_with({waiver, other}, "2026-06-30T00:00:00Z");
  CHECK(covered.outcome == OutcomeKind::waived);
  CHECK(covered.violations == 1);
  CHECK(covered.waived == 1);
  CHECK(covered.waiver_ids == std::vector<std::string>{"W-0", "W-1"});

  CHECK(judged_with({waiver}, "2026-06-29T23:59:59Z").outcome == OutcomeKind::fail);
  CHECK(judged_with({waiver}, "2026-07-01T00:00:00Z").outcome == OutcomeKind::fail);
  waiver.match = {{"username", "alice"}};
  CHECK(judged_with({waiver}, "2026-06-30T00:00:00Z").waived == 0);
  waiver.match = {{"no_such_column", "bob"}};
  CHECK(judged_with({waiver}, "2026-06-30T00:00:00Z").outcome == OutcomeKind::fail);
}

TEST_CASE("some rows waived is still a failure", "[evaluate]") {
  Run run;
  Waiver waiver;
  waiver.id = "W-1";
  waiver.check_id = "a.b";
  waiver.match = {{"username", "bob"}};
  waiver.valid_from = "2026-01-01T00:00:00Z";
  waiver.valid_until = "2027-01-01T00:00:00Z";
  const auto blob = write_waivers({waiver});
  run.request.inputs.push_back(table("waivers", blob));
  run.named("last_logins") = table("last_logins", "");

  const auto outcome = first(run.judged());

  CHECK(outcome.outcome == OutcomeKind::fail);
  CHECK(outcome.violations == 2);
  CHECK(outcome.waived == 1);
}

TEST_CASE("tables of several instances are united, with their names", "[evaluate]") {
  constexpr std::string_view kInstancePack = R"(
pack: jobs
controls:
  - id: j
    title: Jobs
    frequency_s: 86400
    checks:
      - { id: j.x, title: No user, severity: low, rationale: r, tables: [users], sql: "SELECT instance, username FROM users", remediation: none }
)";
  Run run;
  auto pack = load_pack(std::string(kInstancePack), "jobs.yaml");
  REQUIRE(pack);
  std::vector<Pack> list;
  list.push_back(*std::move(pack));
  auto packs = PackSet::make(std::move(list));
  REQUIRE(packs);
  constexpr std::string_view kOne = "{\"can_login\":false,\"username\":\"root\"}\n";
  run.request.collector = "access_review@nas";
  run.request.tables = {table("users", kOne), table("gaps", "")};
  run.request.inputs.push_back(table("users", kOne, "access_review/4"));
  run.request.inputs.push_back(table("gaps", "", "access_review/4"));

  auto evaluation = evaluate(*packs, run.request, nullptr);

  REQUIRE(evaluation);
  CHECK(
      evaluation->findings.at(*first(*evaluation).findings) ==
      "{\"instance\":\"\",\"username\":\"root\"}\n{\"instance\":\"nas\",\"username\":\"root\"}\n");
}

TEST_CASE("the memo judges again only what can come out differently", "[evaluate]") {
  Run run;
  Memo memo;
  const auto before = run.judged(&memo);
  CHECK(memo.misses() == 2);

  CHECK(run.judged(&memo).outcomes_table.sha256 == before.outcomes_table.sha256);
  CHECK(memo.hits() == 2);

  // Only a.b binds :now.
  run.request.now = "2025-01-02T00:00:00Z";
  CHECK(first(run.judged(&memo)).outcome == OutcomeKind::pass);
  CHECK(memo.misses() == 3);
  CHECK(memo.hits() == 3);

  // Only a.b reads last_logins.
  run.named("last_logins") = table("last_logins", "");
  CHECK(first(run.judged(&memo)).outcome == OutcomeKind::fail);
  CHECK(memo.misses() == 4);

  run.named("gaps") = table("gaps", kGap);
  CHECK(run.judged(&memo).outcomes.at(1).outcome == OutcomeKind::error);
}

TEST_CASE("a memo that was kept answers as before", "[evaluate]") {
  Run run;
  Memo memo;
  const auto before = run.judged(&memo);
  const auto form = memo.write();

  Memo kept;
  kept.restore(form);
  const auto after = run.judged(&kept);

  CHECK(kept.hits() == 2);
  CHECK(kept.misses() == 0);
  CHECK(after.outcomes_table.sha256 == before.outcomes_table.sha256);
  CHECK(after.findings == before.findings);
  CHECK(kept.write() == form);
}

TEST_CASE("what is damaged in a kept memo is judged again", "[evaluate]") {
  Run run;
  Memo memo;
  const auto before = run.judged(&memo);
  auto form = memo.write();
  const auto kind = GENERATE(std::string("waived"), std::string("good"));
  const auto bad =
      GENERATE_COPY(std::string(), std::string("[]"), form.substr(1), "{\"access_review\":[[1]]}",
                    std::regex_replace(form, std::regex("\"(pass|fail)\""), '"' + kind + '"'));
  CAPTURE(bad);

  Memo kept;
  kept.restore(bad);

  CHECK(run.judged(&kept).outcomes_table.sha256 == before.outcomes_table.sha256);
  CHECK(kept.misses() > 0);
}

TEST_CASE("a broken request is refused, not judged", "[evaluate]") {
  Run run;
  SECTION("no columns") {
    run.request.inputs.clear();
  }
  SECTION("no second") {
    run.request.now = "2026-06-30T00:00:00.000Z";
  }
  SECTION("a blob that is no table") {
    run.named("users").blob = "{}\n";
  }
  SECTION("a blob out of order") {
    run.named("users").blob =
        "{\"can_login\":true,\"username\":\"b\"}\n{\"can_login\":true,\"username\":\"a\"}\n";
  }
  SECTION("waivers that are none") {
    run.request.inputs.push_back(table("waivers", "{}\n"));
  }
  SECTION("gaps that are none") {
    run.named("gaps").blob = "x\n";
  }

  CHECK_FALSE(evaluate(Run::tiny(), run.request, nullptr));
}

TEST_CASE("the engine names all that judges", "[evaluate]") {
  CHECK_THAT(engine_string(), Catch::Matches("vouch-policy/2 sqlite/3\\.[0-9.]+ re2/[^ ]+ [^ ]+"));
}

}  // namespace vouch::policy
