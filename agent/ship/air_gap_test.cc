// SPDX-License-Identifier: Apache-2.0
#include "agent/ship/air_gap.h"

#include "agent/vouchd/fake_world.h"

namespace vouch::ship {
namespace {

using agent::BundleState;
using agent::World;

CourierPaths paths_of(const World& world) {
  return {world.config.outbox_dir(), world.config.receipts_dir()};
}

}  // namespace

TEST_CASE("what waits is carried out as it is, and nothing counts as delivered", "[air-gap]") {
  World world;
  world.enrol();
  const auto agent = world.start();
  agent::State& state = agent->state();
  REQUIRE(agent->seal());
  world.clock.advance(3000);
  REQUIRE(agent->seal());
  REQUIRE(state.outbox.write_notice(1, "{}"));
  const std::string stick = world.directory + "/stick";

  REQUIRE(export_parcels(paths_of(world), stick).value() == 2);

  const std::string folder = stick + "/" + state.identity.agent;
  for (const std::int64_t seq : {0, 1}) {
    CHECK(read_file(folder + "/" + seq_name(seq) + ".parcel", 1 << 20).value() ==
          state.outbox.read(seq).value());
  }
  CHECK(read_file(folder + "/drops/0000000001.json", 100).value() == "{}");
  REQUIRE(agent->poll());
  CHECK(state.bundles.in_state(BundleState::waiting).value().size() == 2);
}

TEST_CASE("receipts that were carried home are checked like any other", "[air-gap]") {
  World world;
  world.enrol();
  const auto agent = world.start();
  agent::State& state = agent->state();
  REQUIRE(agent->seal());
  const std::string stick = world.directory + "/stick";
  REQUIRE(export_parcels(paths_of(world), stick).value() == 1);
  const auto index = world.log_bundle(state, 0);
  const std::string folder = stick + "/" + state.identity.agent + "/";
  const auto carry = [&](const std::string& suffix, const std::string& bytes) {
    std::ofstream(folder + "0000000000" + suffix) << bytes;
  };
  carry(".consistency", world.log.consistency(1, world.log.size()));
  carry(".tlog-proof", "no receipt");
  std::ofstream(folder + "0000000007.tlog-proof") << "of no parcel that waits here";

  CHECK(import_receipts(paths_of(world), state.identity.agent, stick).value() == 1);
  REQUIRE(agent->poll());
  CHECK(state.bundles.in_state(BundleState::waiting).value().size() == 1);
  carry(".tlog-proof", world.log.receipt(index, world.log.size()));
  CHECK(import_receipts(paths_of(world), state.identity.agent, stick).value() == 1);
  REQUIRE(agent->poll());

  CHECK(state.bundles.in_state(BundleState::waiting).value().empty());
  CHECK_FALSE(file_exists(world.config.receipts_dir() + "/0000000007.tlog-proof"));
}

TEST_CASE("a parcel that is none is not carried", "[air-gap]") {
  World world;
  const auto agent = world.start();
  std::ofstream(world.config.outbox_dir() + "/0000000003.parcel") << "nonsense";

  CHECK_FALSE(export_parcels(paths_of(world), world.directory + "/stick"));
}

}  // namespace vouch::ship
