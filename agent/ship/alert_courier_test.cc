// SPDX-License-Identifier: Apache-2.0
#include "agent/ship/alert_courier.h"

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "agent/ship/alert_lane.h"
#include "agent/ship/courier.h"
#include "core/file.h"

namespace vouch::ship {
namespace {

class FakeClock final : public Clock {
 public:
  std::int64_t us = 1'000'000;
  WallMs wall_ms() const override { return 1'790'000'000'000 + us / 1000; }
  std::int64_t monotonic_us() const override { return us; }
  std::int64_t boot_us() const override { return us; }
};

// What a channel shall do next, and what it was given.
struct Script {
  std::vector<alerts::Delivery> answers;  // Taken from the front; none: delivered.
  std::vector<std::int64_t> delivered;
  int tries = 0;
};

class ScriptedChannel final : public alerts::Channel {
 public:
  explicit ScriptedChannel(Script& script) : script_(script) {}
  alerts::Delivery deliver(const alerts::Alert& alert, WallMs) override {
    ++script_.tries;
    auto answer = alerts::Delivery::done();
    if (!script_.answers.empty()) {
      answer = script_.answers.front();
      script_.answers.erase(script_.answers.begin());
    }
    if (answer.delivered) script_.delivered.push_back(alert.n);
    return answer;
  }

 private:
  Script& script_;
};

class World {
 public:
  World() {
    std::string name = (std::filesystem::temp_directory_path() / "vouch-alerts-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    directory = name;
    std::filesystem::create_directories(directory + "/outbox/alerts");
    write("rules.yaml",
          "channels: { ops: { kind: journal }, chat: { kind: journal } }\nrules: []\n");
  }
  ~World() { std::filesystem::remove_all(directory); }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(directory + "/" + name) << text;
  }
  void put(std::int64_t n, const std::string& channel) const {
    alerts::Alert alert;
    alert.n = n;
    alert.channel = channel;
    alert.type = alerts::AlertType::test;
    write("outbox/alerts/" + name_of(n) + ".json", json::write(to_json(alert)));
  }
  static std::string name_of(std::int64_t n) {
    const std::string digits = std::to_string(n);
    return std::string(10 - digits.size(), '0') + digits;
  }
  AlertCourier open() {
    auto courier = AlertCourier::open(
        {directory + "/outbox/alerts", directory + "/receipts", directory + "/rules.yaml"}, clock,
        [this](const alerts::ChannelSpec& spec) {
          return std::make_unique<ScriptedChannel>(scripts[spec.name]);
        });
    if (!courier) FAIL(courier.error().message);
    return *std::move(courier);
  }
  std::optional<alerts::Answer> answer(std::int64_t n) const {
    const auto text = read_file(directory + "/receipts/" + name_of(n) + ".alert.json", 10'000);
    if (!text) return std::nullopt;
    const auto answer = alerts::parse_answer(*text);
    REQUIRE(answer);
    CHECK(answer->n == n);
    return *answer;
  }

  std::string directory;
  FakeClock clock;
  std::map<std::string, Script> scripts;
};

const auto kRefused = alerts::Delivery::failed("answered 503");

}  // namespace

TEST_CASE("alerts are delivered in order, once, and answered", "[ship]") {
  World world;
  for (const std::int64_t n : {3, 1, 2}) world.put(n, "ops");
  auto courier = world.open();

  const auto pass = courier.pass();

  REQUIRE(pass);
  CHECK(pass->waiting == 0);
  CHECK_FALSE(pass->wait_ms);
  CHECK(world.scripts["ops"].delivered == std::vector<std::int64_t>{1, 2, 3});
  CHECK(world.answer(2)->sent == world.clock.wall_ms());
  CHECK(courier.pass()->waiting == 0);
  CHECK(world.open().pass()->waiting == 0);  // A new process reads the answers.
  CHECK(world.scripts["ops"].tries == 3);
}

TEST_CASE("an answer goes once vouchd has taken the alert back", "[ship]") {
  World world;
  world.put(1, "ops");
  auto courier = world.open();
  REQUIRE(courier.pass());
  std::filesystem::remove(world.directory + "/outbox/alerts/0000000001.json");

  REQUIRE(courier.pass());

  CHECK_FALSE(world.answer(1));
}

TEST_CASE("a channel in trouble rests longer and longer, and holds up no other", "[ship]") {
  World world;
  world.scripts["ops"].answers.assign(100, kRefused);
  for (const std::int64_t n : {1, 2, 3}) world.put(n, "ops");
  world.put(4, "chat");
  auto courier = world.open();

  const auto pass = courier.pass();

  CHECK(pass->waiting == 3);
  CHECK(world.scripts["ops"].tries == 1);
  CHECK(world.scripts["chat"].delivered == std::vector<std::int64_t>{4});
  CHECK(world.answer(1)->failed);
  CHECK(world.answer(1)->message == "answered 503");
  CHECK_FALSE(world.answer(2));
  std::int64_t longest = 0;
  for (int i = 0; i < 40; ++i) {
    const auto next = courier.pass();
    REQUIRE(next->wait_ms);
    CHECK(*next->wait_ms >= 500);
    CHECK(*next->wait_ms <= 300'000);
    longest = std::max(longest, *next->wait_ms);
    world.clock.us += *next->wait_ms * 1000;
  }
  CHECK(longest > 100'000);

  world.scripts["ops"].answers.clear();
  world.clock.us += std::int64_t{300} * 1'000'000;
  CHECK(courier.pass()->waiting == 0);
  CHECK(world.scripts["ops"].delivered == std::vector<std::int64_t>{1, 2, 3});
  CHECK(world.answer(1)->sent);
}

TEST_CASE("it never comes back before the other side asked for it", "[ship]") {
  World world;
  auto later = alerts::Delivery::failed("answered 429");
  later.retry_after_s = 1000;
  world.scripts["ops"].answers = {later};
  world.put(1, "ops");
  auto courier = world.open();
  REQUIRE(courier.pass());

  world.clock.us += std::int64_t{999} * 1'000'000;
  CHECK(courier.pass()->waiting == 1);
  CHECK(world.scripts["ops"].tries == 1);
  world.clock.us += std::int64_t{2} * 1'000'000;
  CHECK(courier.pass()->waiting == 0);
}

TEST_CASE("an alert that nobody can read, or for nobody, is answered and stays", "[ship]") {
  World world;
  world.write("outbox/alerts/0000000001.json", "{\"n\":");
  world.put(2, "nobody");
  world.put(3, "ops");
  world.write("outbox/alerts/notes.txt", "x");
  world.write("outbox/alerts/1.json", "x");
  auto courier = world.open();

  CHECK(courier.pass()->waiting == 2);

  CHECK(world.answer(1)->failed);
  CHECK(world.answer(2)->message.starts_with("no such channel in "));
  CHECK(world.answer(3)->sent);
}

TEST_CASE("rules that change are read again, and bad ones leave the old", "[ship]") {
  World world;
  auto courier = world.open();
  REQUIRE(courier.pass());
  world.write("rules.yaml", "channels: broken\n");
  world.put(1, "ops");
  CHECK(courier.pass()->waiting == 0);
  world.write("rules.yaml", "channels: { new: { kind: journal } }\nrules: []\n");
  world.put(2, "new");
  CHECK(courier.pass()->waiting == 0);
  CHECK(world.scripts["new"].delivered == std::vector<std::int64_t>{2});
}

TEST_CASE("rules that others can write are refused", "[ship]") {
  World world;
  std::filesystem::permissions(world.directory + "/rules.yaml", std::filesystem::perms::all);
  const auto courier =
      AlertCourier::open({world.directory + "/outbox/alerts", world.directory + "/receipts",
                          world.directory + "/rules.yaml"},
                         world.clock);
  REQUIRE_FALSE(courier);
  CHECK(courier.error().code == Errc::denied);
}

TEST_CASE("the courier of parcels leaves the answers of alerts alone", "[ship]") {
  World world;
  world.put(1, "ops");
  auto courier = world.open();
  REQUIRE(courier.pass());
  auto parcels = Courier::to_directory({world.directory + "/outbox", world.directory + "/receipts"},
                                       world.directory);
  REQUIRE(parcels);

  REQUIRE(parcels->pass());

  CHECK(world.answer(1));
}

TEST_CASE("a lane delivers what comes while it runs, and says when it is idle", "[ship]") {
  World world;
  const SystemClock clock;
  {
    const AlertLane lane(world.open(), world.directory + "/outbox/alerts");
    for (int i = 0; i < 500 && !lane.idle(); ++i) usleep(10'000);
    CHECK(lane.idle());
    std::filesystem::create_directories(world.directory + "/tmp");
    world.put(1, "ops");
    std::filesystem::rename(world.directory + "/outbox/alerts/0000000001.json",
                            world.directory + "/tmp/x");
    std::filesystem::rename(world.directory + "/tmp/x",
                            world.directory + "/outbox/alerts/0000000001.json");
    for (int i = 0; i < 500 && !world.answer(1); ++i) usleep(10'000);
  }
  CHECK(world.answer(1)->sent);
  CHECK(world.scripts["ops"].delivered == std::vector<std::int64_t>{1});
}

}  // namespace vouch::ship
