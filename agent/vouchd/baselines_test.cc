// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/baselines.h"

#include "agent/vouchd/fake_world.h"
#include "policies/engine/replay.h"

namespace vouch::agent {
namespace {

// Checks that read everything that is no run: a baseline, drift, a register and its freshness.
constexpr const char* kPack = R"(pack: test.accounts
title: Accounts
controls:
  - id: accounts
    title: Accounts are as approved
    owner: it
    frequency_s: 86400
    checks:
      - id: accounts.baseline
        title: No account is beyond the baseline
        severity: low
        rationale: None is expected
        remediation: Approve it
        tables: [users, baseline_users]
        sql: SELECT username FROM users EXCEPT SELECT username FROM baseline_users
      - id: accounts.drift
        title: Nothing drifts
        severity: low
        rationale: None is expected
        remediation: Approve it
        tables: [users, drift]
        sql: SELECT key, change, first_seen FROM drift WHERE EXISTS (SELECT count(*) FROM users)
      - id: accounts.registered
        title: Every account is in the register
        severity: low
        rationale: None is expected
        remediation: Register it
        tables: [users, register_people, registers]
        sql: |
          SELECT username FROM users WHERE username NOT IN (SELECT username FROM register_people)
          UNION SELECT name FROM registers WHERE valid_until <= :now
)";

constexpr const char* kPeople = R"(register: people
owner: hr
as_of: 2026-09-01T00:00:00Z
valid_until: 2026-12-31T00:00:00Z
key: [username]
columns: { username: text }
rows: [ { username: root } ]
)";

struct Site : World {
  Site() {
    write("pack.yaml", kPack);
    std::filesystem::create_directory(directory + "/registers");
    write("registers/people.yaml", kPeople);
    config.registers = directory + "/registers";
  }
};

Result<json::Value> approve(Agent& agent, const std::string& table) {
  return agent.command(
      "approve-baseline",
      json::Object{
          {"table", table}, {"by", "alice"}, {"ticket", "OPS-1"}, {"reason", "as installed"}});
}

void collect(World& world, Agent& agent) {
  world.clock.advance(3000);
  REQUIRE(agent.collect("accounts", Trigger::manual));
}

std::map<std::string, Outcome> outcomes_of(Agent& agent, const RunContent& content) {
  std::map<std::string, Outcome> outcomes;
  const auto blob = agent.state().blobs.get(content.outcomes.sha256).value();
  const auto read = read_outcomes(blob).value();
  for (const Outcome& outcome : read) outcomes[outcome.check] = outcome;
  return outcomes;
}

std::map<std::string, Outcome> last_outcomes(Agent& agent) {
  return outcomes_of(agent, *agent.state().waiting.collector("accounts").value().content);
}

std::string findings(Agent& agent, const Outcome& outcome) {
  return agent.state().blobs.get(*outcome.findings).value();
}

}  // namespace

TEST_CASE("without a baseline, drift and baseline are errors, not passes", "[baselines]") {
  Site site;
  const auto agent = site.start();
  collect(site, *agent);

  const auto outcomes = last_outcomes(*agent);
  CHECK(outcomes.at("accounts.baseline").message == "missing: baseline_users (not-found)");
  CHECK(outcomes.at("accounts.drift").outcome == OutcomeKind::error);
  CHECK(outcomes.at("accounts.registered").outcome == OutcomeKind::pass);
}

TEST_CASE("an approval is on record, and later changes are drift since they were first seen",
          "[baselines]") {
  Site site;
  const auto agent = site.start();
  collect(site, *agent);
  REQUIRE(approve(*agent, "users"));
  collect(site, *agent);
  CHECK(last_outcomes(*agent).at("accounts.drift").outcome == OutcomeKind::pass);

  site.runner.users = {"root", "eve"};
  collect(site, *agent);
  const std::string first_seen = format_second(site.clock.wall / 1000);
  site.clock.advance(600'000);
  collect(site, *agent);

  const auto outcomes = last_outcomes(*agent);
  CHECK(findings(*agent, outcomes.at("accounts.drift")) ==
        "{\"change\":\"added\",\"first_seen\":\"" + first_seen + "\",\"key\":\"[\\\"eve\\\"]\"}\n");
  CHECK(findings(*agent, outcomes.at("accounts.baseline")) == "{\"username\":\"eve\"}\n");
  CHECK(findings(*agent, outcomes.at("accounts.registered")) == "{\"username\":\"eve\"}\n");
  REQUIRE(agent->stop("SIGTERM"));
  const auto approvals = of_kind<Approval>(check_chain(agent->state()));
  REQUIRE(approvals.size() == 1);
  CHECK(approvals[0].table == "users");
  CHECK(approvals[0].by == "alice");
  CHECK(approvals[0].ticket == "OPS-1");
}

TEST_CASE("a baseline outlives a restart and all runs that it came from", "[baselines]") {
  Site site;
  std::string digest;
  {
    const auto agent = site.start();
    collect(site, *agent);
    REQUIRE(approve(*agent, "users"));
    digest = agent->state().baselines.list().value().at(0).table.sha256;
    site.runner.users = {"root", "eve"};
    collect(site, *agent);
    REQUIRE(agent->stop("SIGTERM"));
  }
  const auto agent = site.start();
  State& state = agent->state();
  for (std::int64_t seq = 0; seq < state.ledger.chain_head().value()->link.next_seq; ++seq) {
    REQUIRE(state.bundles.acknowledge(seq, site.clock.wall, ""));
    REQUIRE(state.bundles.expire(seq));
  }
  site.clock.advance(700'000);
  REQUIRE(agent->poll());  // Tidies up, too.

  CHECK(state.blobs.get(digest));
  collect(site, *agent);
  CHECK(last_outcomes(*agent).at("accounts.drift").outcome == OutcomeKind::fail);
}

TEST_CASE("a register that lapsed is a finding", "[baselines]") {
  Site site;
  site.clock.wall = 1830000000000;  // 2027-12-28
  const auto agent = site.start();
  collect(site, *agent);

  const auto outcomes = last_outcomes(*agent);
  CHECK(findings(*agent, outcomes.at("accounts.registered")) == "{\"username\":\"people\"}\n");
}

TEST_CASE("records with baseline, drift and registers are replayed to the same outcomes",
          "[baselines]") {
  Site site;
  const auto agent = site.start();
  collect(site, *agent);
  REQUIRE(approve(*agent, "users"));
  site.runner.users = {"eve"};
  collect(site, *agent);
  site.clock.advance(600'000);
  collect(site, *agent);
  REQUIRE(agent->stop("SIGTERM"));

  policy::PolicySets sets;
  const auto replayer = policy::make_replayer(sets);
  int replayed = 0;
  for (const auto& run : of_kind<Observation>(check_chain(agent->state()))) {
    const auto* content = std::get_if<RunContent>(&run.content);
    if (content == nullptr) continue;
    verify::ReplayInput input;
    input.observation = &run;
    input.content = content;
    const auto result = replayer->replay(
        input, [&](std::string_view sha256) { return agent->state().blobs.get(sha256); });
    REQUIRE(result);
    CAPTURE(result->detail);
    CHECK(result->kind == verify::ReplayResult::Kind::same);
    ++replayed;
  }
  CHECK(replayed == 2);
}

TEST_CASE("what cannot be approved is said", "[baselines]") {
  Site site;
  const auto agent = site.start();
  CHECK_THAT(approve(*agent, "users").error().message, Catch::Contains("collect it first"));
  collect(site, *agent);
  CHECK(approve(*agent, "nothing").error().code == Errc::not_found);
  const auto nobody =
      agent->command("approve-baseline", json::Object{{"table", "users"}, {"reason", "x"}});
  CHECK(nobody.error().message == "by: missing");
  CHECK(of_kind<Approval>(check_chain(agent->state())).empty());
}

TEST_CASE("a key is rotated when it is asked for", "[agent]") {
  World world;
  const auto agent = world.start();
  REQUIRE(agent->seal());
  world.clock.advance(3000);

  const auto answer = agent->command("rotate-key", json::Object{});

  REQUIRE(answer);
  CHECK(json::get_integer(*answer, "epoch").value() == 1);
  world.clock.advance(3000);
  REQUIRE(agent->seal());
  CHECK(of_kind<KeyRotate>(check_chain(agent->state())).size() == 1);
}

}  // namespace vouch::agent
