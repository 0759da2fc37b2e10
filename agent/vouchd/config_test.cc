// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/config.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>

#include "agent/vouchd/config_blob.h"
#include "core/file.h"
#include "source_dir.h"

namespace vouch::agent {
namespace {

const std::string kMinimal = "collectors:\n  access_review:\n";

std::string message_of(const std::string& text) {
  const auto config = parse_config(text, "c.yaml");
  return config ? "(accepted)" : config.error().message;
}

}  // namespace

TEST_CASE("a configuration with one collector is enough", "[config]") {
  const auto config = parse_config(kMinimal, "c.yaml");

  REQUIRE(config);
  CHECK(config->collectors.size() == 1);
  CHECK(config->collectors[0].program == "/usr/libexec/vouch/collectors/access_review");
  CHECK(config->heartbeat_s == 3600);
  CHECK(config->receipts_dir() == "/run/vouch/receipts");
}

TEST_CASE("every key is read", "[config]") {
  const auto config = parse_config(R"(
state_dir: /s
runtime_dir: /r
host: web-01.example.com
collector_dir: /c
packs: [/p/a, /p/b]
waivers: /w.yaml
destination: file:///backup
log_level: debug
heartbeat: 30m
splay: 0
rotate_after: 12h
rotate_bundles: 100
spool_max: 64MiB
kept_max: 2MiB
kept_for: 3d
collectors:
  backup_jobs@nas:
    program: /opt/backup_jobs
    interval: 1d
    deadline: 90s
    anchor: 2024-01-01T03:00:00Z
    options: { repositories: [/srv/restic] }
    tables: [repositories, snapshots]
)",
                                   "c.yaml");

  REQUIRE(config);
  CHECK(config->packs == std::vector<std::string>{"/p/a", "/p/b"});
  CHECK(config->heartbeat_s == 1800);
  CHECK(config->rotate_s == 43200);
  CHECK(config->spool_bytes_max == 64 << 20);
  CHECK(config->kept_s == 3 * 86400);
  const auto* collector = config->find("backup_jobs@nas");
  REQUIRE(collector != nullptr);
  CHECK(collector->interval_s == 86400);
  CHECK(collector->deadline_s == 90);
  CHECK(collector->anchor == 1704078000);
  CHECK(json::write(collector->options) == R"({"repositories":["/srv/restic"]})");
  CHECK(collector->tables == std::vector<std::string>{"repositories", "snapshots"});
}

TEST_CASE("what is wrong is named with its position and what is allowed", "[config]") {
  CHECK_THAT(message_of("heartbeet: 1h\n" + kMinimal),
             Catch::StartsWith("c.yaml:1:1: unknown key"));
  CHECK_THAT(message_of("heartbeet: 1h\n" + kMinimal), Catch::Contains("heartbeat"));
  CHECK_THAT(message_of("heartbeat: 25h\n" + kMinimal), Catch::StartsWith("c.yaml:1:12: "));
  CHECK_THAT(message_of("heartbeat: soon\n" + kMinimal), Catch::Contains("a time such as"));
  CHECK_THAT(message_of("heartbeat: [1]\n" + kMinimal), Catch::StartsWith("c.yaml:1:12: "));
  CHECK_THAT(message_of("heartbeat: -1\n" + kMinimal), Catch::StartsWith("c.yaml:1:12: "));
  CHECK_THAT(message_of("state_dir: relative\n" + kMinimal), Catch::Contains("absolute path"));
  CHECK_THAT(message_of("log_level: loud\n" + kMinimal), Catch::Contains("debug, info, warn"));
  CHECK_THAT(message_of("destination: https://x\n" + kMinimal), Catch::Contains("vouch enroll"));
  CHECK_THAT(message_of("spool_max: 1KiB\n" + kMinimal), Catch::Contains("not between"));
  CHECK_THAT(message_of("packs: /x\n" + kMinimal), Catch::Contains("a list of absolute paths"));
  CHECK_THAT(message_of("state_dir: /x\n"), Catch::Contains("collectors: missing"));
  CHECK_THAT(message_of("collectors: {}\n"), Catch::Contains("at least one"));
  CHECK_THAT(message_of("collectors: [a]\n"), Catch::Contains("a mapping"));
  CHECK_THAT(message_of("collectors:\n  Access: {}\n"), Catch::StartsWith("c.yaml:2:3: "));
  CHECK_THAT(message_of("collectors:\n  a:\n    intervall: 5m\n"),
             Catch::StartsWith("c.yaml:3:5: unknown key \"intervall\""));
  CHECK_THAT(message_of("collectors:\n  a: { interval: 0 }\n"), Catch::Contains("not between"));
  CHECK_THAT(message_of("collectors:\n  a: { anchor: 3am }\n"), Catch::Contains("anchor"));
  CHECK_THAT(message_of("collectors:\n  a: { options: 5 }\n"), Catch::Contains("a mapping"));
  CHECK_THAT(message_of("collectors:\n  a: { tables: [A-b] }\n"),
             Catch::Contains("a list of names of its tables"));
  CHECK_THAT(message_of("collectors:\n  a: 5\n"), Catch::Contains("a mapping"));
  CHECK_THAT(message_of("[]"), Catch::Contains("a mapping"));
  CHECK_THAT(message_of(""), Catch::Contains("a mapping"));
}

TEST_CASE("the example and what the package installs are good configurations", "[config]") {
  const std::string file = GENERATE("examples/vouchd.yaml", "vouchd.yaml");
  CAPTURE(file);
  const std::string path = VOUCH_SOURCE_DIR "/packaging/" + file;
  const auto text = read_file(path, kConfigBytesMax);
  REQUIRE(text);

  const auto config = parse_config(*text, path);

  if (!config) FAIL(config.error().message);
  CHECK(config->collectors.size() == 5);
}

TEST_CASE("the schema has the keys that the reader has", "[config]") {
  const auto text =
      read_file(VOUCH_SOURCE_DIR "/proto/schemas/configuration.schema.json", kConfigBytesMax);
  REQUIRE(text);
  const auto schema = json::parse(*text);
  REQUIRE(schema);
  const std::string said = message_of("no_such_key: 1\n" + kMinimal);
  for (const auto& [key, value] : *schema->find("properties")->if_object()) {
    CAPTURE(key);
    CHECK_THAT(said, Catch::Contains(key));
  }
  const auto listed = std::count(said.begin(), said.end(), ',') + 1;
  CHECK(listed == static_cast<std::ptrdiff_t>(schema->find("properties")->if_object()->size()));
}

TEST_CASE("what is out of bounds is told with its unit, and a count has none", "[config]") {
  CHECK(message_of(kMinimal + "heartbeat: 48h\n") ==
        "c.yaml:3:12: heartbeat: 48h is not between 10 and 86400 seconds");
  CHECK(message_of(kMinimal + "rotate_bundles: 5m\n") ==
        "c.yaml:3:17: rotate_bundles: expected a number such as 256");
}

TEST_CASE("a configuration that others can write is refused", "[config]") {
  std::string directory = "/tmp/vouch-config-XXXXXX";
  REQUIRE(mkdtemp(directory.data()) != nullptr);
  const std::string path = directory + "/vouchd.yaml";
  std::ofstream(path) << "packs: []\ncollectors:\n  a: { program: /bin/true }\n";

  CHECK(load_config(path, geteuid()));
  REQUIRE(chmod(path.c_str(), 0666) == 0);
  const auto refused = load_config(path, geteuid());
  std::filesystem::remove_all(directory);

  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::denied);
  CHECK_THAT(refused.error().message, Catch::Contains(path));
}

TEST_CASE("a pack in a folder that others can write is refused", "[config]") {
  std::string directory = "/tmp/vouch-config-XXXXXX";
  REQUIRE(mkdtemp(directory.data()) != nullptr);
  const std::string path = directory + "/vouchd.yaml";
  const std::string pack = directory + "/packs/site/a.yaml";
  std::filesystem::create_directories(directory + "/packs/site");
  std::ofstream(path) << "packs: [" << directory << "/packs]\ncollectors:\n"
                      << "  a: { program: /bin/true }\n";
  std::ofstream(pack) << "pack: a\n";

  CHECK(load_config(path, geteuid()));
  REQUIRE(chmod(pack.c_str(), 0666) == 0);
  const auto refused = load_config(path, geteuid());
  std::filesystem::remove_all(directory);

  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::denied);
  CHECK_THAT(refused.error().message, Catch::Contains(pack));
}

TEST_CASE("no secret of the configuration reaches its blob", "[config]") {
  auto config = parse_config(R"(
collectors:
  a:
    options:
      password: S3cr3tV4lue
      nested: [ { api_key: S3cr3tV4lue }, 'https://u:S3cr3tV4lue@h/' ]
      paths: [/etc]
)",
                             "c.yaml");
  REQUIRE(config);
  Collector collector;
  collector.name = "a";
  collector.options = config->collectors[0].options;

  const auto blob = write_config_blob(*config, {collector}, {});

  CHECK(blob.find("S3cr3tV4lue") == std::string::npos);
  CHECK(blob.find("/etc") != std::string::npos);
}

}  // namespace vouch::agent
