// SPDX-License-Identifier: Apache-2.0
#include "collectors/backup_jobs/snapshots.h"

#include <catch2/catch.hpp>
#include <string>

#include "core/file.h"
#include "source_dir.h"

namespace vouch::backup_jobs {
namespace {

const std::string kId(64, 'a');

std::string snapshot(const std::string& more, const std::string& time = "2026-11-21T20:15:00.38Z") {
  return R"({"time":")" + time + R"(","tree":"t","hostname":"db1","id":")" + kId + "\"" + more +
         "}";
}

TEST_CASE("snapshots are read with their summary, if there is one", "[restic]") {
  const auto parsed = parse_snapshots(
      "[" +
      snapshot(R"(,"paths":["/etc","/srv"],"tags":["daily"],"uid":0,"summary":)"
               R"({"files_new":1,"total_files_processed":7,"total_bytes_processed":99})") +
      "," + snapshot(R"(,"paths":null)") + "]");

  REQUIRE(parsed);
  REQUIRE(parsed->size() == 2);
  const Snapshot& first = parsed->front();
  CHECK(first.time == 1795292100);
  CHECK(first.paths == std::vector<std::string>{"/etc", "/srv"});
  CHECK(first.tags == std::vector<std::string>{"daily"});
  CHECK(first.files == 7);
  CHECK(first.bytes == 99);
  CHECK_FALSE(parsed->back().files);
  CHECK(parsed->back().paths.empty());
}

TEST_CASE("a repository without snapshots is an empty list", "[restic]") {
  CHECK(parse_snapshots("[]")->empty());
  CHECK(parse_snapshots("null\n")->empty());
}

TEST_CASE("what is no list of snapshots is refused", "[restic]") {
  const auto bad = GENERATE(
      as<std::string>{}, "", "{}", "[1]", "[{}]", "[", "repository 1234 opened",
      "[" + snapshot(R"(,"paths":"x")") + "]", "[" + snapshot(R"(,"tags":[1])") + "]",
      "[" + snapshot("", "yesterday") + "]", R"([{"time":"2026-11-21T20:15:00Z","id":"short"}])",
      "[" + snapshot("") + "", "[" + snapshot("") + "]x");
  CAPTURE(bad);

  const auto parsed = parse_snapshots(bad);

  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().code == Errc::invalid);
  CHECK_THAT(parsed.error().message, Catch::StartsWith("restic's answer"));
}

TEST_CASE("times of any offset are read in UTC", "[restic]") {
  CHECK(*parse_restic_time("2026-11-21T20:15:00Z") == 1795292100);
  CHECK(*parse_restic_time("2026-11-21T21:15:00.999999999+01:00") == 1795292100);
  CHECK(*parse_restic_time("2026-11-21T15:45:00.1-04:30") == 1795292100);
  const auto* bad = GENERATE("", "2026-11-21", "2026-11-21T20:15:00", "2026-11-21T20:15:00.Z",
                             "2026-13-21T20:15:00Z", "2026-11-21T20:15:00+1:00",
                             "2026-11-21T20:15:00+25:00", "2026-11-21T20:15:00Zx");
  CAPTURE(bad);
  CHECK_FALSE(parse_restic_time(bad));
}

TEST_CASE("each failure of restic has its reason, without the address", "[restic]") {
  const auto explain = [](int code, const char* text) { return explain_failure(code, text); };

  CHECK(explain(1, "Fatal: wrong password or no key found").code == Errc::denied);
  CHECK(explain(12, "").code == Errc::denied);
  CHECK(explain(11, "").code == Errc::unavailable);
  CHECK(explain(10, "").code == Errc::not_found);
  CHECK(explain(1,
                "Fatal: unable to open config file: stat /x/config: no such file or directory\n"
                "Is there a repository at the following location?\n/x")
            .code == Errc::not_found);
  CHECK(explain(1,
                "Fatal: unable to open config file: dial tcp 127.0.0.1:1: connect: connection "
                "refused\nIs there a repository at the following location?")
            .code == Errc::unavailable);
  CHECK(explain(1, "Resolving password failed: Fatal: /x does not exist").code == Errc::denied);
  const Error other = explain(3, "Fatal: rest:https://u:hunter2@h/ exploded");
  CHECK(other.code == Errc::tool_failed);
  CHECK(other.message == "restic ended with status 3");
}

TEST_CASE("a snapshot that restic left out is noticed though it ended well", "[restic]") {
  CHECK(left_out_snapshots("could not load snapshot 8ff3341f: invalid data returned\n"));
  CHECK_FALSE(left_out_snapshots(""));
}

TEST_CASE("real answers of restic are read", "[restic]") {
  const std::string samples = VOUCH_SOURCE_DIR "/../shared/testbed/samples/restic-snapshots-";
  if (!file_exists(samples + "good.json")) {
    WARN("skipped: no samples of restic's answers");
    return;
  }
  const auto read = [&](const std::string& name) {
    return parse_snapshots(*read_file(samples + name + ".json", 1 << 20));
  };

  REQUIRE(read("good"));
  CHECK(read("good")->size() == 2);
  CHECK(read("good")->front().hostname == "db1");
  CHECK(read("empty")->empty());
  CHECK(read("stale")->size() == 1);
}

}  // namespace
}  // namespace vouch::backup_jobs
