// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/attachments.h"

#include "agent/vouchd/fake_world.h"
#include "core/digest.h"

namespace vouch::agent {
namespace {

constexpr std::string_view kPolicy = "Access is granted by need.\n";
constexpr WallMs kNow = 1795300000000;  // 2026-11-21
constexpr WallMs kDayMs = 86'400'000;

json::Object request_for(std::string_view bytes) {
  return {{"file", "access-policy.txt"},
          {"sha256", sha256_hex(bytes)},
          {"media_type", "text/plain"},
          {"title", "Access control policy"},
          {"by", "alice"},
          {"controls", json::Array{"access-policy", "access-granted"}}};
}

// As the command line leaves it for the daemon.
void leave(const World& world, std::string_view bytes, const std::string& sha256) {
  const std::string directory = world.config.state_dir + "/" + std::string(kIncoming);
  std::filesystem::create_directories(directory);
  REQUIRE(write_file_durable(directory + "/" + sha256, bytes));
}

Result<json::Value> attach(const World& world, Agent& agent, std::string_view bytes,
                           json::Object request) {
  leave(world, bytes, sha256_hex(bytes));
  return agent.command("attach", request);
}

std::string refusal(json::Object request) {
  const auto parsed = parse_attachment_request(request, kNow);
  return parsed ? "" : parsed.error().message;
}

}  // namespace

TEST_CASE("a document is due by its expiry or its cadence, whichever comes first",
          "[attachments]") {
  Attachment document;
  document.effective = 1'000'000;
  CHECK_FALSE(due_of(document));
  document.cadence_days = 10;
  CHECK(due_of(document) == 1'000'000 + 864'000);
  document.expires = 1'000'001;
  CHECK(due_of(document) == 1'000'001);
}

TEST_CASE("what is wrong in a request is said", "[attachments]") {
  const auto with = [](std::string_view name, json::Value value) {
    json::Object request = request_for(kPolicy);
    request.insert_or_assign(std::string(name), std::move(value));
    return refusal(std::move(request));
  };
  CHECK(refusal(request_for(kPolicy)).empty());
  CHECK(with("by", "") == "by: missing");
  CHECK_THAT(with("file", "../policy"), Catch::Contains("file"));
  CHECK_THAT(with("sha256", "abc"), Catch::Contains("sha256"));
  CHECK(with("controls", json::Array{}) == "controls: missing");
  CHECK(with("controls", json::Array{1}) == "controls: not text");
  CHECK_THAT(with("controls", json::Array{"Not An Id"}), Catch::Contains("controls"));
  CHECK_THAT(with("expires", "tomorrow"), Catch::StartsWith("expires: expected 2026-11-27"));
  CHECK_THAT(with("expires", "2026-01-01"), Catch::StartsWith("expires: not after"));
  CHECK_THAT(with("effective", "2099-01-01"), Catch::StartsWith("effective: lies ahead"));
  CHECK_THAT(with("cadence_days", 0), Catch::StartsWith("cadence_days: expected"));
  CHECK_THAT(with("cadence_days", "365"), Catch::StartsWith("cadence_days: expected"));
  CHECK(with("expires", "2027-06-30").empty());
  CHECK(with("effective", "2026-11-20T10:00:00Z").empty());
}

TEST_CASE("an attached document is part of the chain, with its bytes", "[attachments]") {
  World world;
  const auto agent = world.start();

  const auto done = attach(world, *agent, kPolicy, request_for(kPolicy));

  if (!done) FAIL(done.error().message);
  REQUIRE(agent->seal());
  const auto records = of_kind<Attachment>(check_chain(agent->state()));
  REQUIRE(records.size() == 1);
  CHECK(records[0].file == "access-policy.txt");
  CHECK(records[0].size == static_cast<std::int64_t>(kPolicy.size()));
  CHECK(records[0].controls == std::vector<std::string>{"access-granted", "access-policy"});
  CHECK(agent->state().read_blob(records[0].sha256).value() == kPolicy);
  CHECK(std::filesystem::is_empty(world.config.state_dir + "/" + std::string(kIncoming)));
}

TEST_CASE("a document that is not what was announced is not taken", "[attachments]") {
  World world;
  const auto agent = world.start();
  CHECK(agent->command("attach", request_for(kPolicy)).error().code == Errc::not_found);

  leave(world, "something else", sha256_hex(kPolicy));
  const auto done = agent->command("attach", request_for(kPolicy));

  REQUIRE_FALSE(done);
  CHECK_THAT(done.error().message, Catch::Contains("is not what was announced"));
  CHECK(of_kind<Attachment>(check_chain(agent->state())).empty());
}

TEST_CASE("the newest document of a name is listed, over a restart", "[attachments]") {
  World world;
  {
    const auto agent = world.start();
    REQUIRE(attach(world, *agent, kPolicy, request_for(kPolicy)));
    auto renewed = request_for("new");
    renewed["cadence_days"] = 365;
    REQUIRE(attach(world, *agent, "new", renewed));
    leave(world, "left behind", std::string(64, 'a'));
    REQUIRE(agent->stop("SIGTERM"));
  }

  const auto agent = world.start();

  const auto answer = agent->command("attachments", json::Object{});
  const auto& list = *answer.value().find("attachments")->if_array();
  REQUIRE(list.size() == 1);
  CHECK(*list[0].find("sha256")->if_string() == sha256_hex("new"));
  CHECK(list[0].find("due") != nullptr);
  CHECK_FALSE(std::filesystem::exists(world.config.state_dir + "/" + std::string(kIncoming)));
}

TEST_CASE("an overdue document is an alert until it is attached anew", "[attachments]") {
  World world;
  world.config.alerts = world.directory + "/alerts.yaml";
  world.config.alerts_text =
      "channels: { ops: { kind: journal } }\n"
      "rules:\n  - { name: all, channels: [ops], group_interval: 0s }\n";
  const auto agent = world.start();
  const auto active = [&] {
    const auto list = agent->list_alerts(100);
    if (!list) FAIL(list.error().message);
    return json::write(*list).find("document-overdue") != std::string::npos;
  };
  auto request = request_for(kPolicy);
  request["cadence_days"] = 30;
  REQUIRE(attach(world, *agent, kPolicy, request));
  REQUIRE(agent->poll());
  CHECK_FALSE(active());

  world.clock.advance(31 * kDayMs);
  REQUIRE(agent->poll());
  CHECK(active());

  REQUIRE(attach(world, *agent, "renewed", [&] {
    auto renewed = request_for("renewed");
    renewed["cadence_days"] = 30;
    return renewed;
  }()));
  REQUIRE(agent->poll());
  const auto list = agent->list_alerts(100).value();
  INFO(json::write_pretty(list));
  const auto* conditions = list.find("firing");
  REQUIRE(conditions != nullptr);
  CHECK(json::write(*conditions).find("document-overdue") == std::string::npos);
}

}  // namespace vouch::agent
