// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/watch_desk.h"

#include <catch2/catch.hpp>

namespace vouch::agent {
namespace {

constexpr std::int64_t kMs = 1000;

// What a test wants to have changed; or to fail.
struct Script {
  std::vector<WatchChange> changes;
  bool fails = false;
  std::vector<WatchRoot> asked;
  int opened = 0;
};

class FakeSource final : public WatchSource {
 public:
  explicit FakeSource(Script& script) : script_(script) {}
  int fd() const override { return 3; }
  Result<std::vector<WatchChange>> read() override {
    if (script_.fails) return Error{Errc::unavailable, "gone"};
    return std::exchange(script_.changes, {});
  }

 private:
  Script& script_;
};

OpenWatchSource open_script(Script& script) {
  return [&script](const std::vector<WatchRoot>& roots) -> Result<std::unique_ptr<WatchSource>> {
    script.asked = roots;
    ++script.opened;
    if (script.fails) return Error{Errc::unavailable, "not there"};
    return std::unique_ptr<WatchSource>(std::make_unique<FakeSource>(script));
  };
}

Config watching(const std::string& collector, std::vector<std::string> paths) {
  Config config;
  CollectorConfig one;
  one.name = collector;
  one.watch = std::move(paths);
  config.collectors = {one};
  return config;
}

}  // namespace

TEST_CASE("who watches nothing has nothing to poll", "[watch]") {
  Script script;
  WatchDesk desk(open_script(script));
  desk.adopt(watching("drift", {}), 0);

  CHECK(desk.fd() == -1);
  CHECK(desk.timeout_ms(0) == -1);
  CHECK(script.opened == 0);
}

TEST_CASE("a change becomes a trigger after the debounce, with its cause", "[watch]") {
  Script script;
  WatchDesk desk(open_script(script));
  desk.adopt(watching("drift", {"/etc/ssh", "/etc/pam.d"}), 0);
  REQUIRE(script.asked == std::vector<WatchRoot>{{"drift", "/etc/ssh"}, {"drift", "/etc/pam.d"}});
  script.changes = {{"drift", "/etc/ssh/sshd_config"}, {"stranger", "/x"}};

  CHECK(desk.look(true, 0).empty());
  CHECK(desk.timeout_ms(0) == 500);
  const auto due = desk.look(false, 500 * kMs);

  CHECK(due == std::vector<WatchChange>{{"drift", "/etc/ssh/sshd_config"}});
  CHECK(desk.timeout_ms(500 * kMs) == -1);
}

TEST_CASE("watches that are lost are made again, and all they watch is looked at", "[watch]") {
  Script script;
  WatchDesk desk(open_script(script));
  desk.adopt(watching("drift", {"/etc/ssh"}), 0);
  script.fails = true;
  CHECK(desk.look(true, 0).empty());
  CHECK(desk.fd() == -1);
  CHECK(desk.look(false, 30'000 * kMs).empty());  // Fails again.
  script.fails = false;

  CHECK(desk.timeout_ms(30'000 * kMs) == 30'000);
  CHECK(desk.look(false, 60'000 * kMs).empty());
  CHECK(desk.fd() == 3);
  const auto due = desk.look(false, 60'500 * kMs);

  CHECK(due == std::vector<WatchChange>{{"drift", "/etc/ssh"}});
}

TEST_CASE("a new configuration keeps what waits, unless nobody watches it any more", "[watch]") {
  Script script;
  WatchDesk desk(open_script(script));
  desk.adopt(watching("drift", {"/etc/ssh"}), 0);
  script.changes = {{"drift", "/etc/ssh/a"}};
  desk.look(true, 0);

  SECTION("still watched") {
    desk.adopt(watching("drift", {"/etc"}), 100 * kMs);
    CHECK(desk.look(false, 600 * kMs).size() == 1);
  }
  SECTION("not any more") {
    desk.adopt(watching("access", {"/etc"}), 100 * kMs);
    CHECK(desk.look(false, 600 * kMs).empty());
  }
}

}  // namespace vouch::agent
