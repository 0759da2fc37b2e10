// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/login_journal.h"

#include <catch2/catch.hpp>

using namespace vouch;
using namespace vouch::access;

namespace {

std::string line(const std::string& user, const std::string& message,
                 const std::string& time = "1700000000999999") {
  return "{\"__CURSOR\":\"s=1;i=2\",\"__REALTIME_TIMESTAMP\":\"" + time +
         "\",\"__MONOTONIC_TIMESTAMP\":\"5\",\"_BOOT_ID\":\"0\",\"USER_ID\":\"" + user +
         "\",\"MESSAGE\":\"" + message + "\"}";
}

}  // namespace

TEST_CASE("a session of logind is a login", "[login_journal]") {
  const auto old = parse_session_line(line("ann", "New session 5 of user ann."));
  const auto modern = parse_session_line(
      line("bob", "New session '7' of user 'bob' with class 'user' and type 'tty'."));

  REQUIRE(old);
  REQUIRE(*old);
  CHECK((*old)->user == "ann");
  CHECK((*old)->at == 1700000000);
  REQUIRE(modern);
  CHECK((*modern)->user == "bob");
}

TEST_CASE("the service manager of a user and a job are no login", "[login_journal]") {
  const std::string kind =
      GENERATE(as<std::string>{}, "manager", "manager-early", "background", "background-light");
  const auto login = parse_session_line(
      line("ann", "New session '3' of user 'ann' with class '" + kind + "' and type 'x'."));

  REQUIRE(login);
  CHECK_FALSE(*login);
}

TEST_CASE("what is no session is an error, not a login", "[login_journal]") {
  const std::string bad =
      GENERATE(as<std::string>{}, "", "x", "{}", "[]", "{\"USER_ID\":[1,2]}", "{\"USER_ID\":\"a\"}",
               "{\"USER_ID\":null,\"__REALTIME_TIMESTAMP\":\"1\"}");
  CAPTURE(bad);

  CHECK_FALSE(parse_session_line(bad));
  CHECK_FALSE(parse_session_line(line("ann", "m", "-1")));
  CHECK_FALSE(parse_session_line(line("ann", "m", "17x")));
}
