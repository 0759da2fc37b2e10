// SPDX-License-Identifier: Apache-2.0
#include "proto/names.h"

#include <catch2/catch.hpp>

using namespace vouch;

TEST_CASE("table and column names are short, lowercase and start with a letter", "[names]") {
  CHECK(is_plain_name("users"));
  CHECK(is_plain_name("a1_b"));
  CHECK(is_plain_name(std::string(63, 'a')));

  CHECK_FALSE(is_plain_name(""));
  CHECK_FALSE(is_plain_name("1a"));
  CHECK_FALSE(is_plain_name("_a"));
  CHECK_FALSE(is_plain_name("Users"));
  CHECK_FALSE(is_plain_name("a-b"));
  CHECK_FALSE(is_plain_name("a@b"));
  CHECK_FALSE(is_plain_name(std::string(64, 'a')));
}

TEST_CASE("a collector's second instance is named after an at sign", "[names]") {
  CHECK(is_collector_name("backup_jobs"));
  CHECK(is_collector_name("backup_jobs@nas-2"));

  CHECK_FALSE(is_collector_name("backup_jobs@"));
  CHECK_FALSE(is_collector_name("backup_jobs@NAS"));
  CHECK_FALSE(is_collector_name("@nas"));
  CHECK_FALSE(is_collector_name("a@b@c"));
  CHECK_FALSE(is_collector_name("a@" + std::string(32, 'b')));
}

TEST_CASE("ids of controls, checks and packs have at most 64 characters", "[names]") {
  CHECK(is_id("linux-server.access"));
  CHECK(is_id("A.8.5"));
  CHECK(is_id(std::string(64, 'x')));

  CHECK_FALSE(is_id(std::string(65, 'x')));
  CHECK_FALSE(is_id(".a"));
  CHECK_FALSE(is_id("a b"));
  CHECK_FALSE(is_id("a/b"));
  CHECK_FALSE(is_id(""));
}

TEST_CASE("an agent id is a lowercase UUID v4; a boot id may be of any version", "[names]") {
  CHECK(is_agent_id("6f1c2a9e-0b7d-4c53-9a51-2d0e8b3f4c77"));
  CHECK_FALSE(is_agent_id("6F1C2A9E-0b7d-4c53-9a51-2d0e8b3f4c77"));
  CHECK_FALSE(is_agent_id("6f1c2a9e-0b7d-1c53-9a51-2d0e8b3f4c77"));
  CHECK(is_boot_id("6f1c2a9e-0b7d-1c53-9a51-2d0e8b3f4c77"));
  CHECK_FALSE(is_boot_id("6f1c2a9e-0b7d-1c53-9a51-2d0e8b3f4c7"));
  CHECK_FALSE(is_boot_id("6f1c2a9e-0b7d-1c53-9a51+2d0e8b3f4c77"));
  CHECK(is_machine_id("19a05c30e9944d5eafb4a7e391349684"));
  CHECK_FALSE(is_machine_id("19A05c30e9944d5eafb4a7e391349684"));
}

TEST_CASE("an attachment's file name leads nowhere", "[names]") {
  CHECK(is_file_name("access policy (zoë).pdf"));
  const auto bad = GENERATE(as<std::string>{}, "", ".", "..", "a/b", "a\nb", "\xff");
  CAPTURE(bad);
  CHECK_FALSE(is_file_name(bad));
}

TEST_CASE("a run id reads back as it was written", "[names]") {
  const auto text = GENERATE(as<std::string>{}, "users/0", "backup_jobs@nas/912", "a/7+1");
  CAPTURE(text);
  const auto id = parse_run_id(text);

  REQUIRE(id);
  CHECK(write_run_id(*id) == text);
}

TEST_CASE("a run id with another spelling is refused", "[names]") {
  const auto bad = GENERATE(as<std::string>{}, "", "users", "users/", "users/01", "users/-1",
                            "users/+1", "users/1+0", "users/1+", "users/1+01", "Users/1",
                            "users/1 ", "users/9007199254740992", "users/1+1+1", "/1");
  CAPTURE(bad);
  CHECK_FALSE(parse_run_id(bad));
}
