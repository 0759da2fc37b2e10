// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/set_aside.h"

#include "agent/vouchd/fake_world.h"

namespace vouch::agent {
namespace {

// An enrolled agent that has sealed; its id.
std::string live_once(World& world) {
  world.enrol();
  const auto agent = world.start();
  REQUIRE(agent->collect_all(Trigger::manual));
  REQUIRE(agent->stop("SIGTERM"));
  return agent->state().identity.agent;
}

// Damage in the middle of the file, where no header says so.
void damage_ledger(const World& world) {
  const std::string path = world.config.state_dir + "/agent.db";
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const auto size = std::filesystem::file_size(path);
  for (std::uintmax_t at = 4096; at + 512 < size; at += 4096) {
    file.seekp(static_cast<std::streamoff>(at));
    file << std::string(512, '\xA5');
  }
}

}  // namespace

TEST_CASE("a damaged ledger is set aside whole, and a new chain names the old one", "[set-aside]") {
  World world;
  const auto first = live_once(world);
  const auto how = GENERATE(1, 2);
  if (how == 1) damage_ledger(world);
  if (how == 2) std::ofstream(world.config.state_dir + "/agent.db") << "no database at all";

  std::string interim;
  {
    const auto agent = world.open();
    interim = agent->state().identity.agent;
    CHECK(interim != first);
    CHECK_FALSE(agent->state().has_store());
    REQUIRE(agent->start());  // It goes on collecting and sealing.
    REQUIRE(agent->collect_all(Trigger::manual));
    REQUIRE(agent->stop("SIGTERM"));
  }
  const std::string aside = world.config.state_dir + "/previous-" + first;
  for (const char* entry : {"agent.db", "keys", "outbox", "blobs", "store.json"}) {
    CAPTURE(entry);
    CHECK(file_exists(aside + "/" + entry));
  }
  CHECK(file_exists(aside + "/outbox/0000000000.parcel"));
  CHECK_FALSE(file_exists(world.config.state_dir + "/store.json"));

  const auto report = world.enrol();
  CHECK(report.predecessor == first);
  CHECK(report.agent != interim);
  CHECK(file_exists(world.config.state_dir + "/previous-" + interim + "/agent.db"));
}

TEST_CASE("a cloned machine seals nothing, and enrols as a new agent that names the other",
          "[set-aside]") {
  World world;
  const auto first = live_once(world);
  world.host.machine[0] = world.host.machine[0] == '1' ? '2' : '1';
  const auto refused =
      Agent::open(world.config, world.clock, world.runner, world.host, std::string(64, 'a'));
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message, Catch::Contains("vouch enroll"));
  CHECK_THAT(refused.error().message, Catch::Contains(first));

  const auto report = world.enrol();

  CHECK(report.predecessor == first);
  CHECK(file_exists(world.config.state_dir + "/previous-" + first + "/agent.db"));
  CHECK(Agent::open(world.config, world.clock, world.runner, world.host, std::string(64, 'a')));
}

TEST_CASE("a forked chain ends, and the host enrols again", "[set-aside]") {
  World world;
  const auto first = live_once(world);
  {
    auto state = State::open(world.config.state_dir, world.host.machine, 0).value();
    REQUIRE(state->ledger.set(kForked, "proof"));
  }

  const auto report = world.enrol();

  CHECK(report.predecessor == first);
  CHECK(report.agent != first);
}

TEST_CASE("a state that is gone is named all the same, while it is known who was here",
          "[set-aside]") {
  World world;
  const auto first = live_once(world);
  std::filesystem::remove(world.config.state_dir + "/agent.db");
  for (const char* entry : {"agent.db-wal", "agent.db-shm"}) {
    std::filesystem::remove(world.config.state_dir + "/" + entry);
  }

  CHECK(world.enrol().predecessor == first);
}

TEST_CASE("a name that leads elsewhere is no name of an agent", "[set-aside]") {
  World world;
  REQUIRE(make_directories(world.config.state_dir, 0750));
  std::ofstream(world.config.state_dir + "/identity.json") << R"({"agent":"../../x","machine":""})";

  CHECK_FALSE(read_resident(world.config.state_dir).value());
}

TEST_CASE("the reserve is taken while there is room", "[reserve]") {
  World world;
  const auto agent = world.start();
  const std::string file = world.config.state_dir + "/reserve";
  CHECK_FALSE(agent->state().reserve.look().value());
  CHECK(std::filesystem::file_size(file) == static_cast<std::uintmax_t>(kReserveBytes));
  REQUIRE(remove_file(file));
  CHECK_FALSE(agent->state().reserve.look().value());
  CHECK(file_exists(file));
}

}  // namespace vouch::agent
