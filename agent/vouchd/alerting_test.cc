// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/alerting.h"

#include <unistd.h>

#include "agent/vouchd/fake_world.h"

namespace vouch::agent {
namespace {

constexpr const char* kRules = R"(
labels: { env: test }
channels: { ops: { kind: journal }, chat: { kind: journal } }
rules:
  - { name: all, channels: [ops], group_interval: 0s }
)";

class AlertWorld : public World {
 public:
  AlertWorld() { use(kRules); }
  void use(const std::string& rules) {
    config.alerts = directory + "/alerts.yaml";
    config.alerts_text = rules;
  }
  std::vector<std::string> files() const {
    return list_directory(config.outbox_dir() + "/alerts", 10'000).value();
  }
  alerts::Alert read(std::int64_t n) const {
    const auto text = read_file(config.outbox_dir() + "/alerts/" + seq_name(n) + ".json", 1u << 20);
    if (!text) FAIL(text.error().message);
    const auto alert = alerts::parse_alert(*text);
    if (!alert) FAIL(alert.error().message);
    CHECK(json::write(to_json(*alert)) == *text);
    CHECK(alert->n == n);
    return *alert;
  }
  void answer(std::int64_t n, const std::string& text) const {
    write("run/receipts/" + seq_name(n) + ".alert.json", text);
  }
  // One run of the collector, and what follows from it.
  void run(Agent& agent) {
    REQUIRE(agent.collect("accounts", Trigger::manual));
    settle(agent);
  }
  static void settle(Agent& agent) {
    const auto polled = agent.poll();
    if (!polled) FAIL(polled.error().message);
  }
  json::Value listed(Agent& agent) {
    const auto list = agent.list_alerts(100);
    if (!list) FAIL(list.error().message);
    return *list;
  }
};

std::string first_key(const alerts::Alert& alert) {
  REQUIRE_FALSE(alert.conditions.empty());
  return alert.conditions[0].condition.key + " " +
         std::string(to_string(alert.conditions[0].status));
}

}  // namespace

TEST_CASE("a check that drifts is an alert with finding, remedy and labels", "[alerting]") {
  AlertWorld world;
  const auto agent = world.start();
  world.run(*agent);
  CHECK(world.files().empty());

  world.runner.users = {"bob", "root"};
  world.run(*agent);

  REQUIRE(world.files() == std::vector<std::string>{"0000000001.json"});
  const auto alert = world.read(1);
  CHECK(alert.channel == "ops");
  CHECK(alert.sender.id == agent->state().identity.agent);
  CHECK(alert.sender.name == "web-01");
  const auto& told = alert.conditions.at(0);
  CHECK(told.condition.key == "check/no-bob.users");
  CHECK(told.condition.kind == "control-drift");
  CHECK(told.condition.severity == alerts::Severity::low);
  CHECK(told.condition.title == "Bob has no account");
  CHECK(told.condition.value == "1 row violates it");
  CHECK(told.condition.findings == std::vector<std::string>{R"({"username":"bob"})"});
  CHECK(told.condition.remedy == "Remove it");
  CHECK(told.condition.labels == alerts::Labels{{"check", "no-bob.users"},
                                                {"collector", "accounts"},
                                                {"control", "no-bob"},
                                                {"env", "test"},
                                                {"host", "web-01"},
                                                {"owner", "it"}});

  world.runner.users = {"root"};
  world.run(*agent);
  CHECK(first_key(world.read(2)) == "check/no-bob.users resolved");
  world.run(*agent);
  CHECK(world.files().size() == 2);
}

TEST_CASE("a crash after the record and before the file loses no alert and doubles none",
          "[alerting]") {
  AlertWorld world;
  world.runner.users = {"bob"};
  {
    const auto agent = world.start();
    REQUIRE(agent->collect("accounts", Trigger::manual));
    CHECK(world.files().empty());
  }
  const auto agent = world.start();
  world.run(*agent);

  CHECK(world.files() == std::vector<std::string>{"0000000001.json"});
  CHECK(first_key(world.read(1)) == "check/no-bob.users firing");
}

TEST_CASE("what a transaction undid is alerted when it happens again", "[alerting]") {
  AlertWorld world;
  const auto agent = world.start();
  world.run(*agent);
  RunFailed failed;
  failed.run = "accounts/1";
  failed.scheduled = 1'790'000'000;
  failed.finished = world.clock.wall;
  failed.reason = "crash";
  WaitingRecord record;
  record.record = failed;
  State& state = agent->state();
  const auto undone = state.ledger.transaction(world.clock.wall, [&]() -> Status {
    REQUIRE(state.waiting.add(record, {}));
    return Error{Errc::unavailable, "the disk is full"};
  });
  REQUIRE_FALSE(undone);
  world.settle(*agent);
  CHECK(world.files().empty());

  world.runner.violation = RunViolation{Violation::deadline, 0, "killed after 30 s"};
  world.run(*agent);

  REQUIRE(world.files().size() == 1);
  const auto alert = world.read(1);
  CHECK(first_key(alert) == "collector/accounts firing");
  CHECK(alert.conditions[0].condition.value == "deadline: killed after 30 s");
  CHECK(alert.conditions[0].condition.kind == "collector-failure");
}

TEST_CASE("an alert that was delivered is on record, and its file goes", "[alerting]") {
  AlertWorld world;
  world.runner.users = {"bob"};
  const auto agent = world.start();
  world.run(*agent);
  world.answer(1, R"({"failed":"2026-09-21T14:13:20.000Z","message":"answered 503","n":1})");
  world.settle(*agent);
  const auto waiting = world.listed(*agent);
  CHECK(json::write(*waiting.find("alerts")).find("answered 503") != std::string::npos);
  CHECK(world.files().size() == 1);

  world.answer(1, R"({"n":1,"sent":"2026-09-21T14:13:21.000Z"})");
  world.settle(*agent);

  CHECK(world.files().empty());
  const auto& one = waiting.find("alerts")->if_array()->at(0);
  CHECK(*one.find("state")->if_string() == "waiting");
  const auto sent = world.listed(*agent).find("alerts")->if_array()->at(0);
  CHECK(*sent.find("state")->if_string() == "sent");
  CHECK(*sent.find("sent")->if_string() == "2026-09-21T14:13:21.000Z");
  CHECK(*sent.find("summary")->if_string() == "firing: Bob has no account");
  // A restart does not send it again.
  const auto again = world.start();
  world.settle(*again);
  CHECK(world.files().empty());
}

TEST_CASE("what is no answer to an alert changes nothing", "[alerting]") {
  AlertWorld world;
  world.runner.users = {"bob"};
  const auto agent = world.start();
  world.run(*agent);
  const std::string receipts = world.config.receipts_dir() + "/";
  const auto text =
      GENERATE(as<std::string>{}, "", "{}", R"({"n":2,"sent":"2026-09-21T14:13:21.000Z"})",
               R"({"n":1})", R"({"n":1,"sent":true})", "link");
  CAPTURE(text);
  if (text == "link") {
    world.write("elsewhere", R"({"n":1,"sent":"2026-09-21T14:13:21.000Z"})");
    REQUIRE(symlink((world.directory + "/elsewhere").c_str(),
                    (receipts + "0000000001.alert.json").c_str()) == 0);
  } else {
    world.answer(1, text);
  }

  world.settle(*agent);

  CHECK(world.files().size() == 1);
}

TEST_CASE("files follow the ledger at a start", "[alerting]") {
  AlertWorld world;
  world.runner.users = {"bob"};
  {
    const auto agent = world.start();
    world.run(*agent);
    std::filesystem::remove(world.config.outbox_dir() + "/alerts/0000000001.json");
    world.write("state/outbox/alerts/0000000007.json", "not ours");
  }

  const auto agent = world.start();
  world.settle(*agent);

  CHECK(world.files() == std::vector<std::string>{"0000000001.json"});
  world.read(1);
}

TEST_CASE("an alert that cannot be delivered is given up, on record", "[alerting]") {
  AlertWorld world;
  world.use(std::string(kRules) + "give_up: 1h\n");
  world.runner.users = {"bob"};
  const auto agent = world.start();
  world.run(*agent);
  world.clock.advance(3'599'000);
  world.settle(*agent);
  CHECK(world.files().size() == 1);

  world.clock.advance(60'000);
  world.settle(*agent);

  CHECK(world.files().empty());
  CHECK(json::write(world.listed(*agent)).find(R"("state":"dropped")") != std::string::npos);
}

TEST_CASE("a collector that is not observed for three intervals is silent", "[alerting]") {
  AlertWorld world;
  const auto agent = world.start();
  world.run(*agent);
  world.runner.violation = RunViolation{Violation::deadline, 0, "killed"};
  std::vector<std::string> told;
  for (int i = 0; i < 20; ++i) {
    world.clock.advance(60'000);
    world.settle(*agent);
    while (world.files().size() > told.size()) {
      told.push_back(first_key(world.read(static_cast<std::int64_t>(told.size()) + 1)));
    }
  }

  CHECK(told == std::vector<std::string>{"collector/accounts firing", "silence/accounts firing"});
  world.runner.violation.reset();
  world.run(*agent);
  CHECK(world.files().size() == 4);
}

TEST_CASE("a waiver that ends soon, a refused bundle and a filling spool are told", "[alerting]") {
  AlertWorld world;
  world.write("waivers.yaml", R"(waivers:
  - { id: w-1, check: no-bob.users, match: {}, owner: ann, reason: he comes back,
      approved_by: bea, valid_from: 2026-09-01T00:00:00Z, valid_until: 2026-10-01T00:00:00Z }
)");
  world.config.waivers = world.directory + "/waivers.yaml";
  world.config.spool_bytes_max = 1'000;
  const auto agent = world.start();
  REQUIRE(agent->seal());
  world.put_receipt(0, ".refused.json",
                    R"({"problem":{"type":"urn:vouch:problem:fork"},"seq":0,"status":409})");
  world.settle(*agent);

  std::vector<std::string> told;
  for (std::size_t n = 1; n <= world.files().size(); ++n) {
    const auto alert = world.read(static_cast<std::int64_t>(n));
    told.push_back(first_key(alert) + ": " + alert.conditions[0].condition.value);
  }
  std::sort(told.begin(), told.end());
  CHECK(told.size() >= 2);
  CAPTURE(told);
  const auto has = [&](const std::string& begin) {
    return std::any_of(told.begin(), told.end(),
                       [&](const auto& one) { return one.starts_with(begin); });
  };
  CHECK(has("refused/0 firing: 409"));
  CHECK(has("waiver/w-1 firing: no-bob.users (he comes back)"));
  CHECK(has("spool firing: "));
}

TEST_CASE("a test goes the way of every alert, and needs a channel", "[alerting]") {
  AlertWorld world;
  const auto agent = world.start();

  const auto n = agent->send_test_alert("chat");

  REQUIRE(n);
  CHECK(world.read(*n).type == alerts::AlertType::test);
  CHECK(world.read(*n).channel == "chat");
  CHECK(agent->send_test_alert("nobody").error().code == Errc::not_found);
  world.config.alerts.clear();
  CHECK(world.open()->send_test_alert("chat").error().code == Errc::not_found);
}

TEST_CASE("who is alerted is configuration: a change of it is on record", "[alerting]") {
  AlertWorld world;
  { world.start(); }
  world.use(std::string(kRules) + "give_up: 1h\n");
  const auto agent = world.start();
  REQUIRE(agent->seal());

  const auto changes = of_kind<ConfigChange>(check_chain(agent->state()));
  CHECK(changes.size() == 1);
}

TEST_CASE("what is no longer configured fires no more", "[alerting]") {
  AlertWorld world;
  world.runner.users = {"bob"};
  {
    const auto agent = world.start();
    world.run(*agent);
  }
  std::filesystem::copy_file(world.directory + "/accounts", world.directory + "/other");
  world.config.collectors[0].name = "accounts@other";
  const auto agent = world.start();
  world.settle(*agent);

  bool resolved = false;
  for (std::size_t n = 2; n <= world.files().size(); ++n) {
    const auto alert = world.read(static_cast<std::int64_t>(n));
    for (const auto& told : alert.conditions) {
      resolved = resolved || (told.condition.key == "check/no-bob.users" &&
                              told.status == alerts::ConditionStatus::resolved);
    }
  }
  CHECK(resolved);
}

TEST_CASE("a list of any length fits into an answer", "[alerting]") {
  AlertWorld world;
  const auto agent = world.start();
  for (int i = 0; i < 200; ++i) REQUIRE(agent->send_test_alert("chat"));

  const auto list = world.listed(*agent);

  CHECK(json::write(list).size() < 60'000);
  CHECK(list.find("alerts")->if_array()->size() == 100);
}

}  // namespace vouch::agent
