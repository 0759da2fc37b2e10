// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/lost_blobs.h"

#include "agent/vouchd/fake_world.h"
#include "proto/drop_notice.h"

namespace vouch::agent {
namespace {

std::string blob_file(const World& world, const std::string& sha256) {
  return world.config.state_dir + "/blobs/" + sha256 + ".zst";
}

void damage(const World& world, const std::string& sha256) {
  std::ofstream(blob_file(world, sha256)) << "not what was written";
}

RunContent last_content(Agent& agent) {
  return agent.state().waiting.collector("accounts").value().content.value();
}

// The digest of the users table of the last run.
std::string users_of(Agent& agent) {
  return last_content(agent).tables.at(0).sha256;
}

// A bundle with a run whose table is on no disk any more, neither as blob nor in a parcel.
std::string seal_and_lose(World& world, Agent& agent) {
  REQUIRE(agent.collect("accounts", Trigger::manual));
  const std::string lost = users_of(agent);
  REQUIRE(agent.state().blobs.remove(lost));
  REQUIRE(agent.seal());
  world.runner.users = {"root", "eve"};
  return lost;
}

}  // namespace

TEST_CASE("a damaged blob is written again by the next run that yields the same bytes", "[lost]") {
  World world;
  const auto agent = world.start();
  REQUIRE(agent->collect("accounts", Trigger::manual));
  const auto users = users_of(*agent);
  damage(world, users);
  CHECK(agent->state().blobs.get(users).error().code == Errc::corrupt);

  world.clock.advance(1000);
  REQUIRE(agent->collect("accounts", Trigger::manual));
  REQUIRE(agent->stop("SIGTERM"));

  CHECK(agent->state().blobs.get(users).value() == "{\"username\":\"root\"}\n");
  const auto records = check_chain(agent->state());
  CHECK(of_kind<Observation>(records).size() == 2);
  CHECK(of_kind<RunFailed>(records).empty());
}

TEST_CASE("a lost blob is taken out of a parcel that has it", "[lost]") {
  World world;
  const auto agent = world.start();
  REQUIRE(agent->collect("accounts", Trigger::manual));
  REQUIRE(agent->seal());
  const auto users = users_of(*agent);
  damage(world, users);

  CHECK(agent->state().read_blob(users).value() == "{\"username\":\"root\"}\n");
  CHECK(agent->state().blobs.get(users));
}

TEST_CASE("a run whose outcomes are lost before the seal is sealed as failed", "[lost][sealer]") {
  World world;
  const auto agent = world.start();
  REQUIRE(agent->seal());
  REQUIRE(agent->collect("accounts", Trigger::manual));
  const auto content = last_content(*agent);
  damage(world, content.outcomes.sha256);

  REQUIRE(agent->seal());
  world.clock.advance(3000);
  REQUIRE(agent->collect("accounts", Trigger::manual));
  REQUIRE(agent->stop("SIGTERM"));

  const auto records = check_chain(agent->state());
  const auto failed = of_kind<RunFailed>(records);
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].reason == "crash");
  CHECK_FALSE(failed[0].started);
  CHECK(of_kind<Observation>(records).size() == 1);
}

TEST_CASE("a blob that stays lost for an hour is a spool-drop, and its bundle waits without it",
          "[lost]") {
  World world;
  const auto agent = world.start();
  State& state = agent->state();
  const auto lost = seal_and_lose(world, *agent);
  const auto parcels = [&] { return read_parcel(state.outbox.read(0).value()).value(); };
  const auto has_lost = [&] {
    const auto found = parcels().blobs;
    return std::any_of(found.begin(), found.end(),
                       [&](const ParcelBlob& blob) { return blob.sha256 == lost; });
  };
  CHECK_FALSE(has_lost());

  CHECK(give_up_lost(state, world.clock.wall).value() == 0);
  world.clock.advance(kLostMsMax - 1);
  CHECK(give_up_lost(state, world.clock.wall).value() == 0);
  world.clock.advance(1);
  CHECK(give_up_lost(state, world.clock.wall).value() == 1);
  CHECK(give_up_lost(state, world.clock.wall).value() == 0);

  const std::string file = world.config.outbox_dir() + "/drops/0000000000.json";
  const auto notice = drop_notice::parse(read_file(file, drop_notice::kNoticeBytesMax).value());
  REQUIRE(notice);
  CHECK(drop_notice::holds(*notice, state.keys.load(0).value().public_key()));
  CHECK(notice->notice.agent == state.identity.agent);
  REQUIRE(notice->notice.lost.size() == 1);
  CHECK(notice->notice.lost[0].sha256 == lost);
  CHECK(notice->notice.lost[0].name == "table/users");
  REQUIRE(remove_file(file));
  REQUIRE(state.repair_files());
  CHECK(file_exists(file));

  REQUIRE(agent->seal());
  const auto envelope = dsse::parse(state.bundles.find(1).value()->envelope).value();
  const auto drops = of_kind<SpoolDrop>(parse_statement(envelope.payload).value().bundle.records);
  REQUIRE(drops.size() == 1);
  CHECK(drops[0].first_seq == 0);
  CHECK(drops[0].last_seq == 0);
  CHECK(drops[0].sha256 == std::vector<std::string>{lost});
  // A later bundle that yields it again sends it: nothing here counts as sent.
  world.runner.users = {"root"};
  world.clock.advance(3000);
  REQUIRE(agent->collect("accounts", Trigger::manual));
  REQUIRE(agent->seal());
  const auto digests = state.bundles.parcel_blobs(2).value();
  CHECK(std::find(digests.begin(), digests.end(), lost) != digests.end());
}

TEST_CASE("the notice of a bundle goes once the bundle is acknowledged", "[lost]") {
  World world;
  world.enrol();
  const auto agent = world.start();
  State& state = agent->state();
  seal_and_lose(world, *agent);
  CHECK(give_up_lost(state, world.clock.wall).value() == 0);
  world.clock.advance(kLostMsMax);
  CHECK(give_up_lost(state, world.clock.wall).value() == 1);
  CHECK(state.outbox.notices().value() == std::vector<std::int64_t>{0});

  world.deliver(state);
  REQUIRE(agent->poll());
  REQUIRE(state.repair_files());

  CHECK(state.outbox.notices().value().empty());
}

TEST_CASE("a lost blob that a run yields again is sent after all", "[lost]") {
  World world;
  const auto agent = world.start();
  State& state = agent->state();
  const auto lost = seal_and_lose(world, *agent);
  CHECK(give_up_lost(state, world.clock.wall).value() == 0);

  world.runner.users = {"root"};
  world.clock.advance(3000);
  REQUIRE(agent->collect("accounts", Trigger::manual));
  CHECK(give_up_lost(state, world.clock.wall).value() == 0);

  CHECK(state.lost.list().value().empty());
  const auto parcel = read_parcel(state.outbox.read(0).value()).value();
  CHECK(std::any_of(parcel.blobs.begin(), parcel.blobs.end(),
                    [&](const ParcelBlob& blob) { return blob.sha256 == lost; }));
}

}  // namespace vouch::agent
