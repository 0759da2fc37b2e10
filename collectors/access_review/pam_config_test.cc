// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/pam_config.h"

#include <catch2/catch.hpp>

using namespace vouch::access;

TEST_CASE("a rule has facility, control, module and arguments", "[pam]") {
  const auto parsed = parse_pam_file(
      "# comment\n"
      "auth\t[success=2  default=ignore]\tpam_unix.so nullok [user=a b\\]c]\n"
      "-Session optional pam_systemd.so # trailing\n"
      "@include common-account\n"
      "account required \\\n  pam_nologin.so \\\n  file=/x\n"
      "password substack system-auth",
      PamFile::of_service);

  CHECK(parsed.faults.empty());
  REQUIRE(parsed.entries.size() == 5);
  CHECK(parsed.entries[0].facility == "auth");
  CHECK(parsed.entries[0].control == "[success=2 default=ignore]");
  CHECK(parsed.entries[0].module == "pam_unix.so");
  CHECK(parsed.entries[0].arguments == std::vector<std::string>{"nullok", "user=a b]c"});
  CHECK(parsed.entries[0].line == 2);
  CHECK(parsed.entries[1].silent);
  CHECK(parsed.entries[1].facility == "session");
  CHECK(parsed.entries[1].arguments.empty());
  CHECK(parsed.entries[2].control == "@include");
  CHECK(parsed.entries[2].module == "common-account");
  CHECK(parsed.entries[3].line == 5);
  CHECK(parsed.entries[3].arguments == std::vector<std::string>{"file=/x"});
  CHECK(parsed.entries[4].line == 8);
}

TEST_CASE("pam.conf names the service first", "[pam]") {
  const auto parsed = parse_pam_file("SSHD auth required pam_deny.so\nother\n", PamFile::pam_conf);

  REQUIRE(parsed.entries.size() == 1);
  CHECK(parsed.entries[0].service == "sshd");
  CHECK(parsed.faults == std::vector<Fault>{{2, "names no facility"}});
}

TEST_CASE("a line that libpam cannot follow is a fault without its content", "[pam]") {
  const auto [line, message] = GENERATE(table<std::string, std::string>(
      {{"autth required pam_unix.so", "names no facility"},
       {"-", "names no facility"},
       {"auth", "has no control value"},
       {"auth required", "has no module"},
       {"@include", "includes nothing"},
       {"auth mandatory pam_unix.so", "has an unknown control value"},
       {"auth [success=0] pam_unix.so", "has an unknown control value"},
       {"auth [success] pam_unix.so", "has an unknown control value"},
       {"auth [succes=ok] pam_unix.so", "has an unknown control value"},
       {"auth [success=99999999999] pam_unix.so", "has an unknown control value"}}));
  CAPTURE(line);

  const auto parsed = parse_pam_file("\n" + line + "\nauth required a.so\n", PamFile::of_service);

  CHECK(parsed.faults == std::vector<Fault>{{2, message}});
  CHECK(parsed.entries.size() == 1);
}

TEST_CASE("control values become actions by answer", "[pam]") {
  const auto required = pam_actions("required");
  const auto sufficient = pam_actions("sufficient");
  const auto listed = pam_actions("[success=2 ignore=ignore default=die]");

  REQUIRE((required && sufficient && listed));
  CHECK((*required)[PamAnswer::success] == PamAction::ok);
  CHECK((*required)[PamAnswer::auth_err] == PamAction::bad);
  CHECK((*sufficient)[PamAnswer::success] == PamAction::done);
  CHECK((*sufficient)[PamAnswer::auth_err] == PamAction::ignore);
  CHECK((*listed)[PamAnswer::success] == 2);
  CHECK((*listed)[PamAnswer::ignore] == PamAction::ignore);
  CHECK((*listed)[PamAnswer::auth_err] == PamAction::die);
  CHECK((*pam_actions("[]"))[PamAnswer::success] == PamAction::undefined);
  CHECK_FALSE(pam_actions("["));
  CHECK(pam_answer("incomplete") == 31);
}
