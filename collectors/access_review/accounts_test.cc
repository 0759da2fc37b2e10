// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/accounts.h"

#include <catch2/catch.hpp>

using namespace vouch::access;
using Status = PasswordField::Status;

TEST_CASE("a passwd line gives an account, a repeated one two", "[accounts]") {
  const auto parsed = parse_passwd(
      "root:x:0:0:root:/root:/bin/bash\n"
      "# comment\n"
      "\n"
      "root:x:0:0::/root:\n"
      "legacy:ab01FAX.bQRSU:1000:100:Ann Lee,,,:/home/l:/bin/sh\n");

  REQUIRE(parsed.entries.size() == 3);
  CHECK(parsed.faults.empty());
  CHECK(parsed.entries[1].name == "root");
  CHECK(parsed.entries[0].password.in_shadow);
  CHECK_FALSE(parsed.entries[2].password.in_shadow);
  CHECK(parsed.entries[2].password.hash_alg == "des");
  CHECK(parsed.entries[2].uid == 1000);
  CHECK(parsed.entries[2].gid == 100);
  CHECK(parsed.entries[2].directory == "/home/l");
}

TEST_CASE("a passwd line that cannot be read is a fault with its number", "[accounts]") {
  const auto bad = GENERATE(
      as<std::string>{}, "x", "a:x:0:0:::/bin/sh:extra", "a:x::0:::/bin/sh", "a:x: 0:0:::/bin/sh",
      "a:x:+0:0:::/bin/sh", "a:x:-1:0:::/bin/sh", "a:x:0x0:0:::/bin/sh",
      "a:x:4294967296:0:::/bin/sh", "a:x:0::::/bin/sh", ":x:0:0:::/bin/sh",
      "+::::::", "+@admins::::::", "-bob::::::", std::string("a:x:0:0::\0:/bin/sh", 18));
  CAPTURE(bad);

  const auto parsed = parse_passwd("root:x:0:0::/root:/bin/sh\n" + bad + "\nz:x:1:1::/:/bin/sh\n");

  CHECK(parsed.entries.size() == 2);
  REQUIRE(parsed.faults.size() == 1);
  CHECK(parsed.faults[0].line == 2);
}

TEST_CASE("the largest ids are numbers", "[accounts]") {
  const auto parsed = parse_passwd("a:x:4294967295:00000000000000000000:::");

  REQUIRE(parsed.entries.size() == 1);
  CHECK(parsed.entries[0].uid == 4294967295);
  CHECK(parsed.entries[0].gid == 0);
}

TEST_CASE("members of a group are split, empty ones left out", "[accounts]") {
  const auto parsed = parse_group("sudo:x:27:ann, bob ,,\nempty:x:5:\nbad:x:one:\n");

  REQUIRE(parsed.entries.size() == 2);
  CHECK(parsed.entries[0].members == std::vector<std::string>{"ann", "bob"});
  CHECK(parsed.entries[1].members.empty());
  CHECK(parsed.faults == std::vector<Fault>{{3, "has no decimal group id"}});
}

TEST_CASE("a password field says its kind and nothing else", "[accounts]") {
  const auto [field, status, algorithm] = GENERATE(table<std::string, Status, std::string>({
      {"", Status::empty, ""},
      {"!!", Status::not_set, ""},
      {"!", Status::locked, ""},
      {"*", Status::locked, ""},
      {"!*", Status::locked, ""},
      {"x", Status::locked, ""},
      {"*LK*", Status::locked, ""},
      {"!$6$salt$hash", Status::locked, "sha512"},
      {"!!$y$j9T$salt$hash", Status::locked, "yescrypt"},
      {"$y$j9T$salt$hash", Status::active, "yescrypt"},
      {"$gy$j9T$salt$hash", Status::active, "gost-yescrypt"},
      {"$7$salt$hash", Status::active, "scrypt"},
      {"$2b$12$saltandhash", Status::active, "bcrypt"},
      {"$6$salt$hash", Status::active, "sha512"},
      {"$5$salt$hash", Status::active, "sha256"},
      {"$md5,rounds=5$salt$hash", Status::active, "sunmd5"},
      {"$1$salt$hash", Status::active, "md5"},
      {"ab01FAX.bQRSU", Status::active, "des"},
      {"_J9..rasmBYk8r9AiWNc", Status::active, "des"},
      {"$9$who$knows", Status::active, "unknown"},
  }));
  CAPTURE(field);

  const auto parsed = classify_password(field);

  CHECK(status_name(parsed.status) == status_name(status));
  CHECK(parsed.hash_alg == algorithm);
}

TEST_CASE("ages are days, dates are seconds, and -1 is none", "[accounts]") {
  const auto parsed = parse_shadow(
      "ann:$6$s$h:19000:0:99999:7:30:20000:\n"
      "bob:!:0:-1:::-1:-1:\n"
      "eve:*:::::::\n");

  REQUIRE(parsed.entries.size() == 3);
  const auto& ann = parsed.entries[0];
  CHECK(ann.last_change == 19000LL * 86400);
  CHECK(ann.min_days == 0);
  CHECK(ann.max_days == 99999);
  CHECK(ann.warning_days == 7);
  CHECK(ann.inactive_days == 30);
  CHECK(ann.expire == 20000LL * 86400);
  const auto& bob = parsed.entries[1];
  CHECK_FALSE(bob.last_change);
  CHECK_FALSE(bob.min_days);
  CHECK_FALSE(bob.inactive_days);
  CHECK_FALSE(bob.expire);
}

TEST_CASE("a shadow line that cannot be read is a fault without its content", "[accounts]") {
  const auto bad = GENERATE(
      as<std::string>{}, "ann:$6$salt$secrethash:19000", "ann:$6$salt$secrethash:x:0:99999:7:::",
      "ann:$6$salt$secrethash:99999999999999999999:0:99999:7:::",
      "ann:$6$salt$secrethash:1:0:9999999:7:::", "ann:$6$salt$secrethash:1:0:1:7::-2:");
  CAPTURE(bad);

  const auto parsed = parse_shadow(bad);

  CHECK(parsed.entries.empty());
  REQUIRE(parsed.faults.size() == 1);
  CHECK(parsed.faults[0].message.find("secret") == std::string::npos);
}

TEST_CASE("login.defs: the last value of a name holds, quotes are taken off", "[accounts]") {
  const auto values = parse_login_defs(
      "# comment\nPASS_MAX_DAYS\t99999\n  UMASK 022  \nPASS_MAX_DAYS 90\nENV_X \"a b\"\nEMPTY\n");

  CHECK(values == std::vector<std::pair<std::string, std::string>>{
                      {"PASS_MAX_DAYS", "90"}, {"UMASK", "022"}, {"ENV_X", "a b"}, {"EMPTY", ""}});
}

TEST_CASE("a shell lets a person in unless it is known not to", "[accounts]") {
  CHECK(is_login_shell("/bin/bash"));
  CHECK(is_login_shell(""));
  CHECK(is_login_shell("/tmp/nologin"));
  CHECK(is_login_shell("/usr/bin/git-shell"));
  CHECK_FALSE(is_login_shell("/usr/sbin/nologin"));
  CHECK_FALSE(is_login_shell("/bin/false"));
  CHECK_FALSE(is_login_shell("/bin/sync"));
}
