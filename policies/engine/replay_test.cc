// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/replay.h"

#include <catch2/catch.hpp>

#include <map>

#include "core/clock.h"
#include "core/digest.h"
#include "policies/engine/evaluate.h"

namespace vouch::policy {
namespace {

constexpr std::string_view kPack = R"(pack: p
controls:
  - { id: a, title: t, frequency_s: 3600, checks: [ { id: a.x, title: t, severity: low, rationale: r, remediation: r, tables: [users], sql: SELECT username FROM users WHERE since < :now } ] }
)";

// A record that the engine made, and its blobs.
struct Recorded {
  std::map<std::string, std::string> blobs;
  RunContent content;
  Observation observation;
  Statement statement;

  std::string keep(std::string bytes) {
    auto digest = sha256_hex(bytes);
    blobs[digest] = std::move(bytes);
    return digest;
  }

  TableRef ref(std::string name, std::string bytes) {
    TableRef result;
    result.name = std::move(name);
    result.sha256 = keep(std::move(bytes));
    return result;
  }

  Recorded() {
    TableSchema users;
    users.name = "users";
    users.key = {"username"};
    users.columns.resize(2);
    users.columns[0].name = "username";
    users.columns[1].name = "since";
    users.columns[1].type = ColumnType::time;
    content.tables = {ref("users", "{\"since\":\"2026-01-01T00:00:00Z\",\"username\":\"bob\"}\n"),
                      ref("gaps", "")};
    content.inputs = {ref("columns", columns_blob({{"users", users}}))};
    content.policy = keep(keep(std::string(kPack)) + "  p\n");
    content.engine = engine_string();
    observation.run = "access_review/7";
    observation.now = *parse_second("2026-06-30T00:00:00Z");
    content.outcomes.sha256 = judge();
  }

  // What the agent would do.
  std::string judge() {
    auto pack = load_pack(std::string(kPack), "p.yaml");
    if (!pack) FAIL(pack.error().message);
    std::vector<Pack> packs;
    packs.push_back(*std::move(pack));
    EvaluationRequest request;
    request.collector = "access_review";
    request.now = "2026-06-30T00:00:00Z";
    for (const auto& table : content.tables) {
      request.tables.push_back({table.name, "", table.sha256, "", blobs[table.sha256]});
    }
    for (const auto& table : content.inputs) {
      request.inputs.push_back({table.name, "", table.sha256, "", blobs[table.sha256]});
    }
    auto evaluation = evaluate(*PackSet::make(std::move(packs)), request, nullptr);
    if (!evaluation) FAIL(evaluation.error().message);
    return keep(evaluation->outcomes_table.bytes);
  }

  verify::ReplayResult replay() {
    verify::ReplayInput input;
    input.statement = &statement;
    input.observation = &observation;
    input.content = &content;
    blobs.erase(std::string(kEmptyDigestHex));
    PolicySets sets;
    auto result =
        make_replayer(sets)->replay(input, [&](std::string_view digest) -> Result<std::string> {
          const auto it = blobs.find(std::string(digest));
          if (it == blobs.end()) return Error{Errc::not_found, "withheld"};
          return it->second;
        });
    if (!result) FAIL(result.error().message);
    return *std::move(result);
  }
};

using Kind = verify::ReplayResult::Kind;

}  // namespace

TEST_CASE("a record that the engine made replays to the same digest", "[replay]") {
  Recorded recorded;

  const auto result = recorded.replay();

  CHECK(result.kind == Kind::same);
  CHECK(result.outcomes == recorded.content.outcomes.sha256);
}

TEST_CASE("a forged verdict is different, and the check is named", "[replay]") {
  Recorded recorded;
  Outcome forged;
  forged.check = "a.x";
  forged.control = "a";
  forged.outcome = OutcomeKind::pass;
  forged.findings = std::string(kEmptyDigestHex);
  auto table = write_outcomes({forged});
  REQUIRE(table);
  recorded.content.outcomes.sha256 = recorded.keep(table->bytes);

  const auto result = recorded.replay();

  CHECK(result.kind == Kind::different);
  CHECK(result.detail ==
        "check a.x: recorded pass (0 violations, 0 waived), recomputed fail (1 violations, 0 "
        "waived)");
}

TEST_CASE("another time of the run gives another verdict", "[replay]") {
  Recorded recorded;
  recorded.observation.now = *parse_second("2025-06-30T00:00:00Z");

  CHECK(recorded.replay().kind == Kind::different);
}

TEST_CASE("a difference under another engine is reported as such", "[replay]") {
  Recorded recorded;
  recorded.content.engine = "vouch-policy/1 sqlite/3.99.0 re2/1 riscv64";
  CHECK(recorded.replay().kind == Kind::same);

  recorded.content.outcomes.sha256 = recorded.keep("");

  const auto result = recorded.replay();
  CHECK(result.kind == Kind::engine_differs);
  CHECK_THAT(result.detail, Catch::Contains("vouch-policy/1 sqlite/3.99.0 re2/1 riscv64"));
}

TEST_CASE("what is withheld cannot be replayed, and is named", "[replay]") {
  Recorded recorded;
  SECTION("a table") {
    recorded.blobs.erase(recorded.content.tables[0].sha256);
    CHECK(recorded.replay().detail == "table users: withheld");
  }
  SECTION("the policy set") {
    recorded.blobs.erase(recorded.content.policy);
    CHECK(recorded.replay().detail == "policy set: withheld");
  }
  SECTION("a pack") {
    recorded.blobs.erase(sha256_hex(kPack));
    CHECK(recorded.replay().detail == "pack p: withheld");
  }
  CHECK(recorded.replay().kind == Kind::not_replayable);
}

TEST_CASE("evidence that is not of its form is different, never skipped", "[replay]") {
  Recorded recorded;
  SECTION("a pack that is none") {
    recorded.content.policy = recorded.keep(recorded.keep("pack: q\n") + "  p\n");
  }
  SECTION("a policy set that is none") {
    recorded.content.policy = recorded.keep("x\n");
  }
  SECTION("a table that is none") {
    recorded.content.tables[0].sha256 = recorded.keep("{}\n");
  }
  SECTION("no columns") {
    recorded.content.inputs.clear();
  }

  CHECK(recorded.replay().kind == Kind::different);
}

}  // namespace vouch::policy
