// SPDX-License-Identifier: Apache-2.0
// Failed logins as counts; lastb(1) and faillock(8) are the judges where they are installed.
#include "collectors/access_review/failed_logins.h"

#include <unistd.h>
#include <utmpx.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <ctime>

#include "collectors/access_review/access_review.h"
#include "collectors/sdk/testing.h"
#include "core/process.h"

using namespace vouch;
using namespace vouch::access;
using sdk::TestTree;

namespace {

std::string record(std::string_view user, std::int64_t at, short type = LOGIN_PROCESS) {
  struct utmpx entry = {};
  entry.ut_type = type;
  std::memcpy(entry.ut_user, user.data(), std::min(user.size(), sizeof entry.ut_user));
  entry.ut_tv.tv_sec = static_cast<decltype(entry.ut_tv.tv_sec)>(at);
  std::string bytes(sizeof entry, '\0');
  std::memcpy(bytes.data(), &entry, sizeof entry);
  return bytes;
}

std::string tally(std::uint64_t at, std::uint16_t status = 1) {
  std::string bytes(64, '\0');
  std::memcpy(bytes.data(), "10.0.0.9", 8);
  std::memcpy(bytes.data() + 54, &status, sizeof status);
  std::memcpy(bytes.data() + 56, &at, sizeof at);
  return bytes;
}

void make_host(TestTree& tree) {
  tree.file("/etc/passwd", "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n");
}

sdk::TestAnswer collect(const TestTree& tree) {
  auto answer = sdk::run_collector(make_access_review(), tree.path(),
                                   {.tables = {"failed_logins", "login_lockouts"}});
  CHECK(answer.violation == "");
  return answer;
}

std::size_t lines(const std::string& text, std::string_view mark) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; ++at) ++count;
  return count;
}

}  // namespace

TEST_CASE("attempts are counted by account and day, others together", "[failed]") {
  const std::int64_t day = 20'000 * kSecondsPerDay;
  const std::string long_name(40, 'n');
  FailedLogins failed({"root", long_name}, day);

  failed.feed(record("root", day - 1) + record("root", day) + record("root", day + 86'399) +
              record("root", day + 86'400) + record("hunter2", day + 5) + record("", day + 6) +
              record(long_name, day + 7) + record("root", day, BOOT_TIME) +
              record("root", day, 77) + "torn");

  const FailedLogins::Counts expected = {{{"", day}, 2},
                                         {{"root", day}, 2},
                                         {{"root", day + kSecondsPerDay}, 1},
                                         {{long_name.substr(0, 32), day}, 1}};
  CHECK(failed.counts() == expected);
  CHECK(failed.oldest() == day - 1);
  CHECK(failed.strange_records() == 1);
}

TEST_CASE("a tally counts what is valid", "[failed]") {
  const Tally parsed = parse_tally(tally(1'700'000'000) + tally(1'700'000'100) +
                                   tally(1'800'000'000, 0) + tally(~0ULL) + "x");

  CHECK(parsed.failures == 3);
  CHECK(parsed.newest == 253'402'300'799);
  CHECK(parsed.is_torn);
  CHECK(parse_tally("").failures == 0);
}

TEST_CASE("typed names never leave, whatever they are", "[failed]") {
  TestTree tree;
  make_host(tree);
  const std::int64_t now = std::time(nullptr);
  tree.file("/var/log/btmp",
            record("planted1", now - 10) + record("root", now - 9) + record("planted\n2", now - 8));
  tree.file("/run/faillock/planted3", tally(5)).file("/run/faillock/ann", tally(6) + tally(7));
  tree.fifo("/run/faillock/planted4").file("/run/faillock/planted5", "torn");

  const auto answer = collect(tree);

  CAPTURE(answer.raw);
  CHECK(answer.raw.find("planted") == std::string::npos);
  CHECK(answer.errors.empty());
  CHECK(answer.cell("failed_logins", "known", "true", "username") == "root");
  CHECK(answer.cell("failed_logins", "known", "false", "attempts") == "2");
  CHECK(answer.cell("login_lockouts", "username", "ann", "failures") == "2");
  CHECK(answer.cell("login_lockouts", "username", "ann", "newest") == "1970-01-01T00:00:07Z");
  CHECK(answer.cell("login_lockouts", "username", "", "failures") == "1");
  CHECK(answer.has_gap("login_lockouts", "/run/faillock"));
}

TEST_CASE("btmp is read from its end, and on in the rotated file", "[failed]") {
  TestTree tree;
  make_host(tree);
  const std::int64_t now = std::time(nullptr);
  std::string old;
  for (int i = 0; i < 3000; ++i) old += record("root", now - 100 * kSecondsPerDay);
  tree.file("/var/log/btmp.1", old + record("ann", now - 2) + record("ann", now - 1));
  tree.file("/var/log/btmp", record("ann", now) + "torn");

  const auto answer = collect(tree);

  CHECK(answer.has_gap("failed_logins", "/var/log/btmp"));
  std::int64_t attempts = 0;
  for (const auto& row : answer.tables.at("failed_logins")) {
    CHECK(*row.find("username")->if_string() == "ann");
    attempts += *row.find("attempts")->if_integer();
  }
  CHECK(attempts == 3);
}

TEST_CASE("more attempts than are counted are a gap", "[failed]") {
  TestTree tree;
  make_host(tree);
  const std::int64_t now = std::time(nullptr);
  std::string many;
  for (int i = 0; i < 45'000; ++i) many += record("x", now);
  tree.file("/var/log/btmp", many);

  const auto answer = collect(tree);

  CHECK(answer.has_gap("failed_logins", "/var/log/btmp"));
  CHECK(answer.cell("failed_logins", "known", "false", "attempts") == "44032");
}

TEST_CASE("no btmp is an error, no tallies are none", "[failed]") {
  TestTree tree;
  make_host(tree);

  const auto answer = collect(tree);

  CHECK_THAT(answer.errors.at("failed_logins"), Catch::StartsWith("not-found"));
  CHECK(answer.tables.at("login_lockouts").empty());
}

TEST_CASE("lastb counts the same attempts", "[failed]") {
  TestTree tree;
  const std::string text = record("root", 1'700'000'000) + record("ann", 1'700'000'100) +
                           record("ann", 1'700'090'000, USER_PROCESS);
  tree.file("/btmp", text);
  Command command;
  command.argv = {"/usr/bin/lastb", "-w", "-f", tree.path() + "/btmp"};
  command.environment = default_environment();
  const auto exit = run_process(command);
  if (!exit || exit->code != 0) {
    WARN("skipped: no lastb");
    return;
  }
  FailedLogins failed({"root", "ann"}, 0);
  failed.feed(text);

  CHECK(failed.counts().size() == 3);
  CHECK(lines(exit->standard_output, "ann ") == 2);
  CHECK(lines(exit->standard_output, "root ") == 1);
}

TEST_CASE("faillock shows the same tally", "[failed]") {
  TestTree tree;
  const std::string text = tally(1'700'000'000) + tally(1'700'000'100) + tally(1'700'000'200, 0);
  tree.file("/root", text);
  Command command;
  command.argv = {"/usr/sbin/faillock", "--dir", tree.path(), "--user", "root"};
  command.environment = default_environment();
  const auto exit = run_process(command);
  if (!exit || exit->code != 0) {
    WARN("skipped: no faillock");
    return;
  }
  CAPTURE(exit->standard_output);
  const auto valid = lines(exit->standard_output, " V\n");
  CHECK(parse_tally(text).failures == static_cast<std::int64_t>(valid));
  CHECK(valid == 2);
}
