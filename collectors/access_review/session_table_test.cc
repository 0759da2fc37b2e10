// SPDX-License-Identifier: Apache-2.0
#include <utmpx.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "collectors/access_review/access_review.h"
#include "collectors/sdk/testing.h"

using namespace vouch;
using namespace vouch::access;
using sdk::TestTree;

namespace {

sdk::TestAnswer collect(const TestTree& tree) {
  auto answer =
      sdk::run_collector(make_access_review(), tree.path(), {.tables = {"logged_in_users"}});
  CHECK(answer.violation == "");
  return answer;
}

std::string utmp_record(const char* user, const char* line, const char* host, short type) {
  struct utmpx entry = {};
  entry.ut_type = type;
  std::strncpy(entry.ut_user, user, sizeof entry.ut_user - 1);
  std::strncpy(entry.ut_line, line, sizeof entry.ut_line - 1);
  std::strncpy(entry.ut_host, host, sizeof entry.ut_host - 1);
  entry.ut_tv.tv_sec = 1700000000;
  std::string bytes(sizeof entry, '\0');
  std::memcpy(bytes.data(), &entry, sizeof entry);
  return bytes;
}

}  // namespace

TEST_CASE("logind's sessions of people are rows", "[sessions]") {
  TestTree tree;
  tree.file("/run/systemd/sessions/4",
            "# private\nUID=1000\nUSER=ann\nREMOTE=1\nREMOTE_HOST=10.0.0.9\nSERVICE=sshd\n"
            "CLASS=user\nREALTIME=1700000000123456\n");
  tree.file("/run/systemd/sessions/c1", "UID=0\nUSER=root\nCLASS=manager\n");
  tree.file("/run/systemd/sessions/9", "CLASS=user\nUID=x\n");
  tree.fifo("/run/systemd/sessions/4.ref").fifo("/run/systemd/sessions/5");
  tree.file("/run/utmp", utmp_record("bob", "tty1", "", USER_PROCESS));

  const auto answer = collect(tree);

  REQUIRE(answer.tables.at("logged_in_users").size() == 1);
  CHECK(answer.cell("logged_in_users", "username", "ann", "since") == "2023-11-14T22:13:20Z");
  CHECK(answer.cell("logged_in_users", "username", "ann", "remote") == "true");
  CHECK(answer.has_gap("logged_in_users", "/run/systemd/sessions/9"));
  CHECK(answer.has_gap("logged_in_users", "/run/systemd/sessions/5"));
  CHECK(answer.tables.at("gaps").size() == 2);
  CHECK(answer.raw.find("10.0.0.9") == std::string::npos);
}

TEST_CASE("without logind utmp counts; an image has no sessions", "[sessions]") {
  TestTree tree;
  CHECK_THAT(collect(tree).errors.at("logged_in_users"), Catch::StartsWith("not-supported"));
  tree.file("/run/utmp", utmp_record("bob", "pts/0", "h", USER_PROCESS) +
                             utmp_record("gone", "pts/1", "", DEAD_PROCESS) + "torn");

  const auto answer = collect(tree);

  REQUIRE(answer.tables.at("logged_in_users").size() == 1);
  CHECK(answer.cell("logged_in_users", "username", "bob", "session") == "pts/0");
  CHECK(answer.cell("logged_in_users", "username", "bob", "remote") == "true");
}
