// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/collector.h"

#include <sys/stat.h>

#include "agent/vouchd/direct_runner.h"
#include "agent/vouchd/fake_world.h"

namespace vouch::agent {
namespace {

constexpr std::string_view kStart =
    R"({"protocol":1,"name":"site","version":"1","title":"T","interval_s":60,"deadline_s":5,)"
    R"("configured_tables":true,"needs":{"network":false,"cache_dir":false},)"
    R"("options":{"type":"object"},"tables":[)";

std::string table(const std::string& name, const std::string& type) {
  return R"({"name":")" + name + R"(","title":"T","key":["a"],"volatile":false,)" +
         R"("needs":{"capabilities":[]},"columns":[{"name":"a","type":")" + type +
         R"(","title":"A"}]})";
}

// Says of itself what its options are, as a table of their type.
std::string program() {
  return "#!/bin/sh\nread -r options\ncase $options in\n"
         "*bad*) echo '{\"error\":{\"message\":\"site.yaml:1:1: no such key\"}}' ;;\n"
         "*integer*) echo '" +
         std::string(kStart) + table("t", "integer") +
         "]}' ;;\n"
         "*two*) echo '" +
         std::string(kStart) + table("t", "text") + "," + table("u", "text") +
         "]}' ;;\n"
         "*text*) echo '" +
         std::string(kStart) + table("t", "text") +
         "]}' ;;\n"
         "*) echo '" +
         std::string(kStart) + table("fixed", "text") + "]}' ;;\nesac\n";
}

void install(const World& world) {
  world.write("site", program());
  REQUIRE(::chmod((world.directory + "/site").c_str(), 0755) == 0);
}

CollectorConfig instance(const World& world, const std::string& name, const char* kind) {
  CollectorConfig config;
  config.name = name;
  config.program = world.directory + "/site";
  config.options = json::Object{{"kind", kind}};
  return config;
}

// Keeps what it is given, as the ledger does.
class KeepingCache final : public ManifestCache {
 public:
  std::optional<std::string> find(std::string_view digest) override {
    const auto known = kept.find(std::string(digest));
    return known == kept.end() ? std::nullopt : std::optional(known->second);
  }
  void keep(std::string_view digest, std::string_view manifest) override {
    kept[std::string(digest)] = manifest;
  }
  std::optional<std::string> find_digest(const std::string&, const FileMark&) override {
    return std::nullopt;
  }
  void keep_digest(const std::string&, const FileMark&, std::string_view) override {}
  std::map<std::string, std::string> kept;
};

}  // namespace

TEST_CASE("tables by configuration are those of the options, whatever was kept", "[collector]") {
  World world;
  install(world);
  const SystemClock clock;
  DirectRunner runner(clock);
  KeepingCache cache;
  Config config;

  for (const auto* kind : {"integer", "text", "integer"}) {
    config.collectors = {instance(world, "site", kind)};
    const auto collectors = load_collectors(config, runner, &cache);
    REQUIRE(collectors);
    const auto* schema = collectors->at(0).manifest.find("t");
    REQUIRE(schema != nullptr);
    CHECK(to_string(schema->columns[0].type) == kind);
    CHECK(collectors->at(0).manifest.find("fixed") == nullptr);
  }
}

TEST_CASE("options that a collector refuses are refused with its words", "[collector]") {
  World world;
  install(world);
  const SystemClock clock;
  DirectRunner runner(clock);
  Config config;
  config.collectors = {instance(world, "site", "bad")};

  const auto collectors = load_collectors(config, runner, nullptr);

  REQUIRE_FALSE(collectors);
  CHECK(collectors.error().message == "collector site: site.yaml:1:1: no such key");
}

TEST_CASE("a collector is asked for the tables that are configured, and no other", "[collector]") {
  World world;
  install(world);
  DirectRunner runner(world.clock);
  Config config;
  config.collectors = {instance(world, "site", "two"), instance(world, "site@u", "two")};
  config.collectors[1].tables = {"u"};

  const auto collectors = load_collectors(config, runner, nullptr);

  REQUIRE(collectors);
  CHECK(collectors->at(0).manifest.tables.size() == 2);
  REQUIRE(collectors->at(1).manifest.tables.size() == 1);
  CHECK(collectors->at(1).manifest.tables[0].name == "u");

  config.collectors[1].tables = {"u", "v"};
  const auto refused = load_collectors(config, runner, nullptr);
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message,
             Catch::Contains("collector site@u: tables: it has no table v; it has t u"));
}

TEST_CASE("two instances declare a table alike or not at all", "[collector]") {
  World world;
  install(world);
  const SystemClock clock;
  DirectRunner runner(clock);
  Config config;

  config.collectors = {instance(world, "site", "text"), instance(world, "site@b", "text")};
  CHECK(load_collectors(config, runner, nullptr));

  config.collectors = {instance(world, "site", "text"), instance(world, "site@b", "integer")};
  const auto collectors = load_collectors(config, runner, nullptr);
  REQUIRE_FALSE(collectors);
  CHECK_THAT(collectors.error().message, Catch::Contains("declare table t differently"));
}

}  // namespace vouch::agent
