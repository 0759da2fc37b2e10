// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/agent.h"

#include "agent/vouchd/fake_world.h"

namespace vouch::agent {
namespace {

// A lost blob cannot be taken out of a parcel any more.
void spoil_parcels(const World& world) {
  for (const auto& entry :
       std::filesystem::directory_iterator(world.config.state_dir + "/outbox")) {
    if (entry.path().extension() == ".parcel") std::ofstream(entry.path()) << "spoilt";
  }
}

}  // namespace

TEST_CASE("one pass without a store collects, judges and seals", "[agent]") {
  World world;
  world.runner.users = {"root", "bob"};
  const auto agent = world.start();
  REQUIRE(agent->collect_all(Trigger::manual));
  REQUIRE(agent->stop("once"));

  const auto records = check_chain(agent->state());
  const auto runs = of_kind<Observation>(records);
  REQUIRE(runs.size() == 1);
  const auto& content = std::get<RunContent>(runs[0].content);
  const auto outcomes = read_outcomes(agent->state().blobs.get(content.outcomes.sha256).value());
  REQUIRE(outcomes);
  REQUIRE(outcomes->size() == 1);
  CHECK(outcomes->front().outcome == OutcomeKind::fail);
  CHECK(agent->state().blobs.get(*outcomes->front().findings).value() ==
        "{\"username\":\"bob\"}\n");
}

TEST_CASE("each tick of a day is on record once, and a quiet day seals by the hour", "[agent]") {
  World world;
  const auto agent = world.start();

  live(world, *agent, 86'400'000);
  REQUIRE(agent->stop("SIGTERM"));

  const auto records = check_chain(agent->state());
  CHECK(of_kind<Observation>(records).size() == 288);
  CHECK(of_kind<RunMissed>(records).empty());
  const auto sealed = agent->state().ledger.chain_head().value()->link.next_seq;
  CHECK(sealed >= 24);
  CHECK(sealed <= 29);
  std::size_t full = 0;
  for (const auto& run : of_kind<Observation>(records)) {
    full += std::holds_alternative<RunContent>(run.content) ? 1 : 0;
  }
  CHECK(full <= 3);
}

TEST_CASE("a change is sealed at once, an unchanged run waits", "[agent]") {
  World world;
  const auto agent = world.start();
  live(world, *agent, 310'000);
  const auto before = agent->state().ledger.chain_head().value()->link.next_seq;
  live(world, *agent, 300'000);
  CHECK(agent->state().ledger.chain_head().value()->link.next_seq == before);

  world.runner.users = {"root", "eve"};
  live(world, *agent, 305'000);

  CHECK(agent->state().ledger.chain_head().value()->link.next_seq == before + 1);
  check_chain(agent->state());
}

TEST_CASE("time without the agent is missed, on record", "[agent]") {
  World world;
  {
    const auto agent = world.start();
    live(world, *agent, 600'000);
    REQUIRE(agent->stop("SIGTERM"));
  }
  world.clock.advance(3'600'000);
  const auto agent = world.start();
  live(world, *agent, 310'000);
  REQUIRE(agent->stop("SIGTERM"));

  const auto records = check_chain(agent->state());
  const auto missed = of_kind<RunMissed>(records);
  REQUIRE(missed.size() == 1);
  CHECK(missed[0].ticks.count() == 12);
  CHECK(missed[0].reason == "not-running");
  const auto starts = of_kind<AgentStart>(records);
  REQUIRE(starts.size() == 2);
  CHECK_FALSE(starts[1].unclean);
}

TEST_CASE("an end without a word is unclean", "[agent]") {
  World world;
  { live(world, *world.start(), 400'000); }
  world.clock.advance(1000);
  const auto agent = world.start();
  REQUIRE(agent->seal());

  const auto starts = of_kind<AgentStart>(check_chain(agent->state()));
  REQUIRE(starts.size() == 2);
  CHECK(starts[1].unclean);
}

TEST_CASE("a clock that is set is on record, and no tick runs twice", "[agent]") {
  const auto step = GENERATE(-7'200'000, 7'200'000, 31'536'000'000, -31'536'000'000);
  World world;
  const auto agent = world.start();
  live(world, *agent, 1'200'000);

  world.clock.wall += step;
  live(world, *agent, 1'200'000);
  REQUIRE(agent->stop("SIGTERM"));

  const auto records = check_chain(agent->state());
  CHECK(of_kind<ClockStep>(records).size() == 1);
  for (const auto& missed : of_kind<RunMissed>(records)) CHECK(missed.reason == "clock-step");
}

TEST_CASE("a run that fails is on record with its reason", "[agent]") {
  World world;
  world.runner.violation = RunViolation{Violation::deadline, 0, "killed at its deadline"};
  const auto agent = world.start();
  live(world, *agent, 700'000);
  REQUIRE(agent->stop("SIGTERM"));

  const auto failed = of_kind<RunFailed>(check_chain(agent->state()));
  REQUIRE(failed.size() >= 2);
  CHECK(failed[0].reason == "deadline");
}

TEST_CASE("a full spool stops collecting, not sealing", "[agent]") {
  World world;
  world.config.spool_bytes_max = 1;
  const auto agent = world.start();
  REQUIRE(agent->seal());
  const int before = world.runner.runs;

  live(world, *agent, 3'700'000);

  CHECK(world.runner.runs == before);
  const auto records = check_chain(agent->state());
  CHECK(of_kind<RunMissed>(records).size() >= 10);
  CHECK(of_kind<RunMissed>(records)[0].reason == "spool-full");
}

TEST_CASE("a changed configuration closes its bundle, and ticks go on under the new one",
          "[agent]") {
  World world;
  {
    const auto agent = world.start();
    live(world, *agent, 700'000);
    REQUIRE(agent->stop("SIGTERM"));
  }
  world.config.collectors[0].interval_s = 60;
  const auto agent = world.start();
  live(world, *agent, 200'000);
  REQUIRE(agent->stop("SIGTERM"));

  const auto records = check_chain(agent->state());
  CHECK(of_kind<ConfigChange>(records).size() == 1);
  CHECK(of_kind<Observation>(records).size() >= 5);
}

TEST_CASE("keys rotate by bundles, and the old one goes once all it signed is acknowledged",
          "[agent]") {
  World world;
  world.config.rotate_bundles = 2;
  world.enrol();
  const auto agent = world.start();
  State& state = agent->state();
  for (int i = 0; i < 5; ++i) {
    world.clock.advance(3000);
    REQUIRE(agent->seal());
  }
  const auto records = check_chain(state);
  CHECK(of_kind<KeyRotate>(records).size() == 2);
  CHECK(state.keys.list().value() == std::vector<std::int64_t>{0, 1, 2});

  world.deliver(state);
  REQUIRE(agent->poll());

  CHECK(state.keys.list().value() == std::vector<std::int64_t>{2});
  check_chain(state);
}

TEST_CASE("a state that was copied to another machine is refused", "[agent]") {
  World world;
  world.start();
  world.host.machine[0] = '1';

  const auto agent =
      Agent::open(world.config, world.clock, world.runner, world.host, std::string(64, 'a'));

  REQUIRE_FALSE(agent);
  CHECK(agent.error().code == Errc::denied);
}

TEST_CASE("a tick that is on record as missed is not recorded again when its run fails",
          "[agent]") {
  World world;
  const auto agent = world.start();
  live(world, *agent, 310'000);
  world.clock.advance(1'500'000);
  const std::string blobs = world.config.state_dir + "/blobs";
  std::filesystem::rename(blobs, blobs + "-away");
  CHECK_FALSE(agent->poll());
  CHECK_FALSE(agent->poll());
  std::filesystem::rename(blobs + "-away", blobs);

  REQUIRE(agent->poll());
  REQUIRE(agent->stop("SIGTERM"));

  const auto missed = of_kind<RunMissed>(check_chain(agent->state()));
  REQUIRE(missed.size() == 1);
  CHECK(missed[0].ticks.count() == 4);
}

TEST_CASE("a run whose tables are lost is a failed run, and the next one is asked in full",
          "[agent]") {
  World world;
  world.runner.caches = true;
  const auto agent = world.start();
  live(world, *agent, 310'000);
  const auto table = agent->state().waiting.token("accounts", "users").value().value().sha256;
  REQUIRE(agent->state().blobs.remove(table));
  spoil_parcels(world);

  live(world, *agent, 600'000);
  REQUIRE(agent->stop("SIGTERM"));

  const auto records = check_chain(agent->state());
  const auto failed = of_kind<RunFailed>(records);
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].reason == "crash");
  CHECK_FALSE(failed[0].started);
  CHECK(of_kind<Observation>(records).size() == 2);
  CHECK(agent->state().blobs.has(table));
}

TEST_CASE("an input that is lost is an error of the checks that read it, not of the run",
          "[agent]") {
  World world;
  world.write("pack.yaml", R"(pack: test.accounts
title: Accounts
controls:
  - id: no-new
    title: No account is new
    owner: it
    frequency_s: 86400
    checks:
      - id: no-new.users
        title: No account is new
        severity: low
        rationale: None is expected
        remediation: Remove it
        tables: [users, previous_users]
        sql: SELECT username FROM users EXCEPT SELECT username FROM previous_users
)");
  const auto agent = world.start();
  live(world, *agent, 310'000);
  const auto content = agent->state().waiting.collector("accounts").value().content.value();
  REQUIRE(agent->state().blobs.remove(content.tables.at(0).sha256));
  spoil_parcels(world);
  world.runner.users = {"root", "eve"};

  live(world, *agent, 300'000);
  REQUIRE(agent->stop("SIGTERM"));

  const auto runs = of_kind<Observation>(check_chain(agent->state()));
  REQUIRE(runs.size() == 2);
  const auto& judged = std::get<RunContent>(runs[1].content);
  const auto outcomes = read_outcomes(agent->state().blobs.get(judged.outcomes.sha256).value());
  CHECK(outcomes.value().at(0).outcome == OutcomeKind::error);
}

TEST_CASE("a parcel that the ledger does not know is set aside, not deleted", "[agent]") {
  World world;
  const auto kept = GENERATE(false, true);
  const std::string directory = world.config.state_dir + (kept ? "/kept" : "/outbox");
  REQUIRE(make_directories(directory, 0750));
  REQUIRE(write_file_durable(directory + "/0000000007.parcel", "sealed by another", 0640));

  const auto agent = world.start();

  CHECK_FALSE(file_exists(directory + "/0000000007.parcel"));
  const auto there = read_file(world.config.state_dir + "/strays/0000000007.parcel", 100);
  REQUIRE(there);
  CHECK(*there == "sealed by another");
}

TEST_CASE("an agent that could not start, starts with its next look at the clock", "[agent]") {
  World world;
  live(world, *world.start(), 600'000);
  const auto agent = world.open();  // As after a reload whose start failed.

  live(world, *agent, 600'000);
  REQUIRE(agent->stop("SIGTERM"));

  const auto records = check_chain(agent->state());
  CHECK(of_kind<AgentStart>(records).size() == 2);
  CHECK(of_kind<RunMissed>(records).empty());
}

TEST_CASE("what was judged is known after a restart, to the same program", "[agent]") {
  World world;
  const auto same_program = GENERATE(true, false);
  {
    const auto agent = world.start();
    REQUIRE(agent->collect("accounts", Trigger::manual));
    REQUIRE(agent->stop("SIGTERM"));
    Ledger& ledger = agent->state().ledger;
    auto kept = ledger.get(kJudgements).value().value();
    const auto verdict = kept.find("\"pass\",\"\"");
    REQUIRE(verdict != std::string::npos);
    kept.replace(verdict, 9, "\"error\",\"remembered\"");
    if (!same_program) kept.front() = 'b';
    REQUIRE(ledger.set(kJudgements, kept));
  }

  const auto agent = world.start();
  REQUIRE(agent->collect("accounts", Trigger::manual));
  REQUIRE(agent->stop("SIGTERM"));

  const auto last = of_kind<Observation>(check_chain(agent->state())).back();
  const auto* changed = std::get_if<RunContent>(&last.content);
  REQUIRE((changed != nullptr) == same_program);
  if (changed == nullptr) return;
  const auto outcomes = agent->state().read_blob(changed->outcomes.sha256);
  REQUIRE(outcomes);
  CHECK_THAT(*outcomes, Catch::Contains("remembered"));
}

}  // namespace vouch::agent
