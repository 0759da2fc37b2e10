// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/store_trouble.h"

#include "agent/vouchd/fake_world.h"
#include "proto/succession.h"

namespace vouch::agent {
namespace {

std::vector<std::int64_t> waiting(State& state) {
  std::vector<std::int64_t> seqs;
  const auto bundles = state.bundles.in_state(BundleState::waiting).value();
  for (const auto& bundle : bundles) seqs.push_back(bundle.seq);
  return seqs;
}

// An enrolled agent with `count` acknowledged bundles.
std::unique_ptr<Agent> with_delivered(World& world, int count) {
  world.enrol();
  auto agent = world.start();
  for (int i = 0; i < count; ++i) {
    world.clock.advance(3000);
    REQUIRE(agent->seal());
  }
  world.deliver(agent->state());
  REQUIRE(agent->poll());
  REQUIRE(waiting(agent->state()).empty());
  // As vouch-ship does once the parcels have gone.
  for (const auto& entry : std::filesystem::directory_iterator(world.config.receipts_dir())) {
    std::filesystem::remove(entry.path());
  }
  return agent;
}

std::string chain_problem(std::int64_t expected, std::int64_t seq) {
  return json::write(json::Object{{"seq", seq},
                                  {"status", 409},
                                  {"problem", json::Object{{"type", "urn:vouch:problem:chain"},
                                                           {"title", "chain"},
                                                           {"status", 409},
                                                           {"expected_seq", expected},
                                                           {"expected_prev", std::string(64, '0')},
                                                           {"fork", false}}}});
}

void seal_and_refuse(World& world, Agent& agent, std::int64_t expected) {
  world.clock.advance(3000);
  REQUIRE(agent.seal());
  const auto seq = waiting(agent.state()).back();
  world.put_receipt(seq, ".refused.json", chain_problem(expected, seq));
  REQUIRE(agent.poll());
}

}  // namespace

TEST_CASE("a store that lost acknowledged bundles is refilled with the same bytes, once",
          "[store-trouble]") {
  World world;
  const auto agent = with_delivered(world, 4);
  State& state = agent->state();
  const auto second = state.outbox.read_kept(2).value();

  seal_and_refuse(world, *agent, 2);

  CHECK(waiting(state) == std::vector<std::int64_t>{2, 3, 4});
  CHECK(state.outbox.read(2).value() == second);
  CHECK(state.outbox.kept().value() == std::vector<std::int64_t>{0, 1});
  CHECK(state.ledger.get_integer(kAcknowledgedSeq, -1).value() == 3);
  // The same unsigned word again changes nothing, on record or on disk.
  CHECK_FALSE(refill_store(state, world.clock.wall, 2).value());
  world.clock.advance(3000);
  REQUIRE(agent->seal());
  const auto rollbacks = of_kind<StoreRollback>(check_chain(state));
  REQUIRE(rollbacks.size() == 1);
  CHECK(rollbacks[0].origin == "store.example.com/log1");
  CHECK(rollbacks[0].acked_seq == 3);
  CHECK(rollbacks[0].expected_seq == 2);
}

TEST_CASE("an old receipt does not acknowledge a bundle that is sent again", "[store-trouble]") {
  World world;
  const auto agent = with_delivered(world, 1);
  State& state = agent->state();
  const auto old = state.bundles.receipt(0).value();
  seal_and_refuse(world, *agent, 0);
  REQUIRE(waiting(state) == std::vector<std::int64_t>{0, 1});

  world.put_receipt(0, ".tlog-proof", old);
  REQUIRE(agent->poll());
  CHECK(waiting(state).front() == 0);

  world.log_bundle(state, 0);
  world.put_receipt(0, ".consistency", world.log.consistency(2, 3));
  world.put_receipt(0, ".tlog-proof", world.log.receipt(1, world.log.size()));
  REQUIRE(agent->poll());
  CHECK(waiting(state) == std::vector<std::int64_t>{1});
}

TEST_CASE("a store that expects what was never acknowledged moves nothing", "[store-trouble]") {
  World world;
  const auto agent = with_delivered(world, 2);

  seal_and_refuse(world, *agent, 2);

  CHECK(waiting(agent->state()) == std::vector<std::int64_t>{2});
  world.clock.advance(3000);
  REQUIRE(agent->seal());
  CHECK(of_kind<StoreRollback>(check_chain(agent->state())).empty());
}

TEST_CASE("a log is followed to the next one, by both signatures", "[store-trouble]") {
  World world;
  const auto agent = with_delivered(world, 2);
  State& state = agent->state();
  FakeLog next("store.example.com/log2");
  const auto note = world.log.succeeded_by(next, world.log.size());
  world.put_file("succession", note);
  REQUIRE(agent->poll());
  CHECK(state.identity.policy == next.policy());

  world.clock.advance(3000);
  REQUIRE(agent->seal());
  CHECK(of_kind<StoreRollback>(check_chain(state)).empty());
  const auto followed = of_kind<LogSuccession>(check_chain(state));
  REQUIRE(followed.size() == 1);
  CHECK(followed[0].from.origin == "store.example.com/log1");
  CHECK(followed[0].to == next.vkey());
  CHECK(followed[0].statement == note);
  // Receipts are those of the new log from now on, and it begins at its own size.
  std::swap(world.log, next);
  const auto index = world.log_bundle(state, 2);
  world.put_receipt(2, ".tlog-proof", world.log.receipt(index, world.log.size()));
  REQUIRE(agent->poll());
  CHECK(waiting(state).empty());
  CHECK(state.ledger.accepted_checkpoint().value()->seen.origin == "store.example.com/log2");
}

TEST_CASE("a succession that does not hold is not followed", "[store-trouble]") {
  World world;
  const auto agent = with_delivered(world, 2);
  State& state = agent->state();
  FakeLog next("store.example.com/log2");
  FakeLog other("store.example.com/log1");
  other.append(1, leaf::StoreStop{"1", std::string(64, 'a')});
  other.append(2, leaf::StoreStop{"1", std::string(64, 'a')});
  other.append(3, leaf::StoreStop{"1", std::string(64, 'a')});
  REQUIRE(other.size() == world.log.size());
  const auto good = world.log.succeeded_by(next, world.log.size());
  auto one_signature = good;
  one_signature.resize(one_signature.rfind("\xE2\x80\x94"));
  const std::vector<std::string> notes{one_signature, "nonsense",
                                       other.succeeded_by(next, other.size()),
                                       world.log.end_at_root_of(other, next)};
  const auto note = notes.at(GENERATE(0u, 1u, 2u, 3u));
  const auto before = state.identity.policy;

  world.put_file("succession", note);
  REQUIRE(agent->poll());
  world.clock.advance(3000);
  REQUIRE(agent->seal());

  CHECK(state.identity.policy == before);
  CHECK(of_kind<LogSuccession>(check_chain(state)).empty());
}

TEST_CASE("a log that ended below what was accepted is refilled from there", "[store-trouble]") {
  World world;
  const auto agent = with_delivered(world, 3);  // Leaves 1, 2 and 3.
  State& state = agent->state();
  FakeLog next("store.example.com/log2");
  world.put_file("succession", world.log.succeeded_by(next, 2));
  REQUIRE(agent->poll());

  CHECK(waiting(state) == std::vector<std::int64_t>{1, 2});
  world.clock.advance(3000);
  REQUIRE(agent->seal());
  const auto records = check_chain(state);
  CHECK(of_kind<LogSuccession>(records).size() == 1);
  REQUIRE(of_kind<StoreRollback>(records).size() == 1);
  CHECK(of_kind<StoreRollback>(records)[0].size == 4);
  CHECK(of_kind<StoreRollback>(records)[0].expected_seq == 1);
}

TEST_CASE("only the log line of a policy file changes", "[store-trouble]") {
  FakeLog one;
  FakeLog two("store.example.com/log2");
  const std::string rest = "\nquorum none\n";
  const auto changed = with_log("# ours\nlog " + one.vkey() + " https://x/" + rest, two.vkey());
  REQUIRE(changed);
  CHECK(*changed == "# ours\nlog " + two.vkey() + " https://x/" + rest);
  CHECK_FALSE(with_log("quorum none\n", two.vkey()));
}

}  // namespace vouch::agent
