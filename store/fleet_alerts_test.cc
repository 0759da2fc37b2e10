// SPDX-License-Identifier: Apache-2.0
// What people are told of the fleet, as files for the courier. The clock is the test's.
#include "store/fleet_alerts.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "alerts/alert.h"
#include "store/test_store.h"

using namespace vouch;
using namespace vouch::store;

namespace {

constexpr WallMs kGrace = 15 * 60 * 1000;

class AlertedStore : public TestStore {
 public:
  AlertedStore() {
    write_rules(
        "channels: { ops: { kind: journal } }\n"
        "rules: [{ name: all, channels: [ops], group_interval: 0s }]\n"
        "above: { spool: 100 }\n");
    StoreOptions options;
    options.alert_rules = rules;
    reopen(options);
  }
  void write_rules(const std::string& text) const {
    std::ofstream(rules) << text;
    REQUIRE(::chmod(rules.c_str(), 0644) == 0);
  }
  std::vector<std::string> files() const {
    return list_directory(path() + "/alerts/outbox/alerts", 1000).value();
  }
  alerts::Alert read(const std::string& name) const {
    const auto text = read_file(path() + "/alerts/outbox/alerts/" + name, 1u << 20);
    REQUIRE(text);
    return alerts::parse_alert(*text).value();
  }
  const std::string rules = path() + ".rules.yaml";
};

// "silence/… firing" of the first condition of an alert.
std::string said(const alerts::Alert& alert) {
  REQUIRE_FALSE(alert.conditions.empty());
  const auto& first = alert.conditions[0];
  return first.condition.key + " " + std::string(to_string(first.status));
}

}  // namespace

TEST_CASE("a host that goes quiet is told once, and its return too", "[fleet-alerts]") {
  AlertedStore store;
  auto agent = store.agent();
  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);
  REQUIRE(store.store().tend());
  CHECK(store.files().empty());

  store.clock.now = store.index().find_agent(agent.id()).value()->next_due + kGrace;
  REQUIRE(store.store().tend());
  CHECK(store.files().empty());
  store.clock.now += 1;
  REQUIRE(store.store().tend());
  REQUIRE(store.store().tend());
  REQUIRE(store.files().size() == 1);
  const auto told = store.read(store.files()[0]);
  CHECK(said(told) == "silence/" + agent.id() + " firing");
  const auto& condition = told.conditions[0].condition;
  CHECK(condition.kind == "silence");
  CHECK(condition.labels.at("agent") == agent.id());
  CHECK(condition.labels.at("env") == "test");  // Of the token that enrolled it.
  CHECK_THAT(condition.value, Catch::StartsWith("bundle 1 was due at "));
  CHECK(told.sender.id == "store.example.com/log1");

  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);
  REQUIRE(store.store().tend());
  REQUIRE(store.files().size() == 2);
  CHECK(said(store.read(store.files()[1])) == "silence/" + agent.id() + " resolved");
}

TEST_CASE("a forked chain is critical", "[fleet-alerts]") {
  AlertedStore store;
  auto agent = store.agent();
  const auto aside = agent.seal_aside({}, [](Bundle& bundle) { bundle.agent.host = "copy"; });
  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);
  REQUIRE(store.post_parcel(aside.parcel).status == 409);
  REQUIRE(store.store().tend());

  REQUIRE(store.files().size() == 1);
  const auto told = store.read(store.files()[0]);
  CHECK(said(told) == "fork/" + agent.id() + " firing");
  CHECK(told.conditions[0].condition.severity == alerts::Severity::critical);
}

TEST_CASE("what waits and what fires outlives the store", "[fleet-alerts]") {
  AlertedStore store;
  auto agent = store.agent();
  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);
  store.clock.now += WallMs{7} * 86'400'000;
  REQUIRE(store.store().tend());
  const auto files = store.files();
  REQUIRE(files.size() == 1);

  REQUIRE(remove_file(store.path() + "/alerts/outbox/alerts/" + files[0]));
  StoreOptions options;
  options.alert_rules = store.rules;
  store.reopen(options);
  REQUIRE(store.store().tend());
  CHECK(store.files() == files);  // The same one again, and no other.
}

TEST_CASE("rules that others can change, or that are none, keep the store from serving",
          "[fleet-alerts]") {
  AlertedStore store;
  store.close();
  StoreOptions options;
  options.alert_rules = store.rules;
  REQUIRE(::chmod(store.rules.c_str(), 0666) == 0);
  CHECK(Store::open(store.path(), store.clock, options).error().code == Errc::denied);
  store.write_rules("channels: [\n");
  CHECK(Store::open(store.path(), store.clock, options).error().code == Errc::invalid);
}

TEST_CASE("a test is queued beside a serving store", "[fleet-alerts]") {
  AlertedStore store;
  auto beside = FleetAlerts::open({store.path(), "o", "h", store.rules, kGrace}, store.clock);
  REQUIRE(beside);
  CHECK((*beside)->send_test("nobody").error().code == Errc::not_found);
  REQUIRE((*beside)->send_test("ops").value() == 1);
  CHECK(store.files().size() == 1);
  REQUIRE(store.store().tend());
  CHECK(store.files().size() == 1);
}
