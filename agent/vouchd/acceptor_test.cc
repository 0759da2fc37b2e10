// SPDX-License-Identifier: Apache-2.0
// What the store says is checked, and its unsigned words stop nothing (docs/threat-model.md).
#include "agent/vouchd/acceptor.h"

#include <sys/stat.h>

#include "agent/vouchd/fake_world.h"

namespace vouch::agent {
namespace {

std::size_t waiting(Agent& agent) {
  return agent.state().bundles.in_state(BundleState::waiting).value().size();
}

// A day in which the store says `suffix` = `bytes` about every bundle.
void live_a_day_under(World& world, Agent& agent, const std::string& suffix,
                      const std::string& bytes) {
  const auto before = agent.state().ledger.chain_head().value()->link.next_seq;
  for (int i = 0; i < 288; ++i) {
    const auto found_bundles = agent.state().bundles.in_state(BundleState::waiting).value();
    for (const auto& bundle : found_bundles) {
      world.put_receipt(bundle.seq, suffix, bytes);
    }
    REQUIRE(agent.poll());
    world.clock.advance(300'000);
  }
  CHECK(agent.state().ledger.chain_head().value()->link.next_seq >= before + 20);
  CHECK(agent.state().bundles.in_state(BundleState::kept).value().empty());
  CHECK(of_kind<LogAlarm>(check_chain(agent.state())).empty());
}

}  // namespace

TEST_CASE("a good receipt acknowledges its bundle and keeps the parcel", "[acceptor]") {
  World world;
  world.enrol();
  const auto agent = world.start();
  REQUIRE(agent->collect_all(Trigger::manual));
  REQUIRE(agent->seal());
  REQUIRE(waiting(*agent) == 1);

  world.deliver(agent->state());
  REQUIRE(agent->poll());

  CHECK(waiting(*agent) == 0);
  CHECK(agent->state().outbox.waiting().value().empty());
  CHECK(agent->state().outbox.kept().value() == std::vector<std::int64_t>{0});
  CHECK(read_file(world.config.outbox_dir() + "/log_seen", 65536).value() ==
        agent->state().ledger.accepted_checkpoint().value()->note);
  world.clock.advance(3'700'000);
  REQUIRE(agent->seal());
  const auto bundle = agent->state().bundles.find(1).value().value();
  const auto statement = parse_statement(dsse::parse(bundle.envelope).value().payload).value();
  CHECK(statement.bundle.log_seen->size == 2);
}

TEST_CASE("seq 0 names the enrolment", "[acceptor]") {
  World world;
  world.enrol();
  const auto agent = world.start();
  REQUIRE(agent->seal());

  const auto bundle = agent->state().bundles.find(0).value().value();
  const auto statement = parse_statement(dsse::parse(bundle.envelope).value().payload).value();
  REQUIRE(statement.bundle.enrolment);
  CHECK(statement.bundle.enrolment->leaf_index == 0);
  CHECK(statement.bundle.log_seen->size == 1);
}

TEST_CASE("receipts that do not hold acknowledge nothing", "[acceptor]") {
  World world;
  world.enrol();
  const auto agent = world.start();
  REQUIRE(agent->seal());
  State& state = agent->state();
  const auto index = world.log_bundle(state, 0);
  const auto good = world.log.receipt(index, world.log.size());
  const auto proof = world.log.consistency(1, world.log.size());
  FakeLog other;
  const auto foreign = other.append(world.clock.wall, leaf::StoreStart{"1", std::string(64, 'a')});
  auto flipped = good;
  flipped[good.find("index") + 60] ^= 1;

  const std::vector<std::pair<std::string, std::string>> bad{
      {"", proof},                                               // empty
      {"nonsense", proof},                                       // no receipt
      {good.substr(0, good.size() - 1), proof},                  // cut
      {flipped, proof},                                          // a bit
      {world.log.receipt(0, world.log.size()), proof},           // another leaf
      {other.receipt(foreign, 1), proof},                        // another log's key
      {good, ""},                                                // no consistency
      {good, world.log.consistency(1, world.log.size()) + "x"},  // a bad one
      {std::string(300'000, 'x'), proof}};                       // too large
  for (const auto& [receipt, consistency] : bad) {
    CAPTURE(receipt.substr(0, 300), consistency);
    world.put_receipt(0, ".tlog-proof", receipt);
    world.put_receipt(0, ".consistency", consistency);
    REQUIRE(agent->poll());
    CHECK(waiting(*agent) >= 1);
    CHECK(state.outbox.has(0));
  }

  world.put_receipt(0, ".tlog-proof", good);
  world.put_receipt(0, ".consistency", proof);
  REQUIRE(agent->poll());
  CHECK_FALSE(state.outbox.has(0));
}

TEST_CASE("unsigned words of the store stop nothing and delete nothing, for a day", "[acceptor]") {
  World world;
  world.enrol();
  const auto agent = world.start();
  REQUIRE(agent->seal());
  const auto said = GENERATE(
      as<std::pair<std::string, std::string>>{},
      std::pair{
          ".refused.json",
          R"({"problem":{"type":"urn:vouch:problem:chain","status":409,"title":"x","detail":"",)"
          R"("expected_seq":0,"expected_prev":"","fork":true},"seq":0,"status":409})"},
      std::pair{
          ".refused.json",
          R"({"problem":{"type":"urn:vouch:problem:bad-statement","status":422},"seq":0,"status":422})"},
      std::pair{".refused.json", R"({"problem":{},"seq":0,"status":500})"},
      std::pair{".refused.json", R"({"problem":{},"seq":0,"status":600})"},
      std::pair{".refused.json", R"({"problem":{},"seq":0,"status":-1})"},
      std::pair{".refused.json", "nonsense"}, std::pair{".fork", "no proof at all"},
      std::pair{".contradiction", "old 1\n\nnothing"},
      std::pair{".delivered.json", R"({"seq":0,"sha256":"00"})"});
  CAPTURE(said.first, said.second);

  live_a_day_under(world, *agent, said.first, said.second);

  const auto refused = of_kind<Refused>(check_chain(agent->state()));
  CHECK(refused.size() <= 1);
}

TEST_CASE("a log that stays behind is reported once, after an hour", "[acceptor]") {
  World world;
  world.enrol();
  const auto agent = world.start();
  REQUIRE(agent->seal());
  const auto index = world.log_bundle(agent->state(), 0);

  live_a_day_under(world, *agent, ".tlog-proof", world.log.receipt(index, world.log.size()));

  const auto refused = of_kind<Refused>(check_chain(agent->state()));
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].problem == "log-behind");
  CHECK(refused[0].status == 0);
}

TEST_CASE("a proved fork stops sealing", "[acceptor]") {
  World world;
  world.enrol();
  const auto agent = world.start();
  REQUIRE(agent->seal());
  const auto index = world.log.append(
      world.clock.wall,
      leaf::Bundle{
          agent->state().identity.agent, 0, std::string(64, 'b'), std::string(64, '0'),
          "BuP9j9opu2CrWVV95h7bCuzbIxE0vjDnW0Vfjht5L6k=", base64_encode(std::string(64, 's'))});
  world.put_receipt(0, ".fork", world.log.receipt(index, world.log.size()));
  REQUIRE(agent->poll());

  const auto sealed = agent->seal();

  REQUIRE_FALSE(sealed);
  CHECK(sealed.error().code == Errc::denied);
  CHECK(agent->state().outbox.has(0));
}

TEST_CASE("missing blobs are sent again, all of the bundle's", "[acceptor]") {
  World world;
  world.enrol();
  const auto agent = world.start();
  REQUIRE(agent->collect_all(Trigger::manual));
  REQUIRE(agent->seal());
  world.deliver(agent->state());
  REQUIRE(agent->poll());
  world.clock.advance(3'700'000);
  REQUIRE(agent->seal());
  const auto seq = agent->state().ledger.chain_head().value()->link.next_seq - 1;
  const auto before = read_parcel(agent->state().outbox.read(seq).value()).value();
  REQUIRE(before.blobs.empty());

  world.put_receipt(
      seq, ".refused.json",
      R"({"problem":{"type":"urn:vouch:problem:missing-blobs","status":409,"title":"x",)"
      R"("detail":"","missing":[]},"seq":)" +
          std::to_string(seq) + R"(,"status":409})");
  REQUIRE(agent->poll());

  const auto after = read_parcel(agent->state().outbox.read(seq).value()).value();
  CHECK_FALSE(after.blobs.empty());
  CHECK(after.envelope == before.envelope);
}

TEST_CASE("missing blobs are sent again after another refusal of the same status", "[acceptor]") {
  World world;
  world.enrol();
  const auto agent = world.start();
  REQUIRE(agent->collect_all(Trigger::manual));
  REQUIRE(agent->seal());
  world.deliver(agent->state());
  REQUIRE(agent->poll());
  world.clock.advance(3'700'000);
  REQUIRE(agent->seal());
  const auto seq = agent->state().ledger.chain_head().value()->link.next_seq - 1;
  const auto say = [&](const std::string& problem) {
    world.put_receipt(seq, ".refused.json",
                      R"({"problem":{"type":"urn:vouch:problem:)" + problem +
                          R"(","status":409,"title":"x","detail":"","missing":[],)" +
                          R"("expected_seq":0,"expected_prev":"","fork":false},"seq":)" +
                          std::to_string(seq) + R"(,"status":409})");
    REQUIRE(agent->poll());
  };
  say("chain");
  REQUIRE(read_parcel(agent->state().outbox.read(seq).value()).value().blobs.empty());

  say("missing-blobs");

  CHECK_FALSE(read_parcel(agent->state().outbox.read(seq).value()).value().blobs.empty());
}

TEST_CASE("a proved contradiction is sealed, however long its unsigned lines are", "[acceptor]") {
  World world;
  world.enrol();
  const auto agent = world.start();
  REQUIRE(agent->seal());
  // The same size with another root, signed by the log.
  world.log.rewrite_last(
      leaf::write({world.clock.wall, leaf::StoreStart{"1", std::string(64, 'a')}}).value());
  auto note = receipt::parse(world.log.receipt(0, 1)).value().checkpoint;
  while (note.size() + 1100 < note::kNoteBytesMax) {
    note += "\xe2\x80\x94 other.example.com " + base64_encode(std::string(777, 'x')) + "\n";
  }
  const std::size_t left = note::kNoteBytesMax - note.size() - 6;
  const std::size_t bytes = (left - 1) / 4 * 3;  // The name takes what base64 leaves.
  note += "\xe2\x80\x94 " + std::string(left - bytes / 3 * 4, 'n') + " " +
          base64_encode(std::string(bytes, 'x')) + "\n";
  REQUIRE(note.size() == note::kNoteBytesMax);
  REQUIRE(note::parse_note(note));
  world.put_receipt(0, ".contradiction", receipt::write_contradiction({{1, {}}, note}));
  world.clock.advance(3000);

  REQUIRE(agent->poll());
  REQUIRE(agent->seal());

  const auto alarms = of_kind<LogAlarm>(check_chain(agent->state()));
  REQUIRE(alarms.size() == 1);
  CHECK(alarms[0].new_note == note);
  CHECK(alarms[0].proof == "old 1\n");
}

TEST_CASE("trouble with what came home does not stop the seals", "[acceptor]") {
  World world;
  world.config.destination = "file:///backup";
  const auto agent = world.start();
  REQUIRE(agent->seal());
  REQUIRE(agent->poll());
  REQUIRE(remove_file(world.config.outbox_dir() + "/0000000000.parcel"));
  world.put_receipt(0, ".delivered.json", R"({"seq":0,"sha256":"00"})");
  world.runner.users = {"root", "eve"};
  const auto before = agent->state().ledger.chain_head().value()->link.next_seq;
  world.clock.advance(400'000);

  CHECK_FALSE(agent->poll());

  CHECK(agent->state().ledger.chain_head().value()->link.next_seq > before);
}

TEST_CASE("acknowledged parcels are let go after their time, with their blobs", "[acceptor]") {
  World world;
  world.enrol();
  const auto agent = world.start();
  REQUIRE(agent->collect_all(Trigger::manual));
  REQUIRE(agent->seal());
  world.deliver(agent->state());
  REQUIRE(agent->poll());
  REQUIRE(agent->state().outbox.kept().value().size() == 1);

  world.clock.advance(8 * std::int64_t{86'400'000});
  REQUIRE(agent->poll());

  CHECK(agent->state().outbox.kept().value().empty());
  CHECK(agent->state().bundles.find(0).value()->state == BundleState::expired);
}

TEST_CASE("a copy counts as delivered only where no store is known", "[acceptor]") {
  const bool enrolled = GENERATE(false, true);
  World world;
  world.config.destination = "file:///backup";
  if (enrolled) world.enrol();
  const auto agent = world.start();
  REQUIRE(agent->seal());
  const auto parcel = agent->state().outbox.read(0).value();
  world.put_receipt(0, ".delivered.json", R"({"seq":0,"sha256":")" + sha256_hex(parcel) + "\"}");

  REQUIRE(agent->poll());

  CHECK(agent->state().outbox.has(0) == enrolled);
}

}  // namespace vouch::agent
