// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/register.h"

#include <catch2/catch.hpp>

namespace vouch::policy {
namespace {

constexpr std::string_view kSudo = R"(register: sudo_rules
title: Sudo rules that security approved
owner: security
as_of: 2026-06-01T00:00:00Z
valid_until: 2026-12-31T00:00:00Z
key: [user, command]
columns: { user: text, command: bytes, since: "time?" }
rows:
  - { user: "%sudo", command: ALL }
  - { user: backup, command: /usr/bin/restic, since: 2025-01-01T00:00:00Z }
)";

std::string changed(std::string_view from, std::string_view to) {
  std::string text(kSudo);
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a register is a table with an owner and dates", "[register]") {
  const auto loaded = load_register(kSudo, "sudo.yaml");

  REQUIRE(loaded);
  CHECK(loaded->schema.name == "register_sudo_rules");
  CHECK(loaded->table.rows == 2);
  CHECK(loaded->table.bytes ==
        "{\"command\":\"/usr/bin/restic\",\"since\":\"2025-01-01T00:00:00Z\",\"user\":\"backup\"}\n"
        "{\"command\":\"ALL\",\"since\":null,\"user\":\"%sudo\"}\n");
  const auto table = registers_table({*loaded});
  REQUIRE(table);
  CHECK(table->bytes ==
        "{\"as_of\":\"2026-06-01T00:00:00Z\",\"name\":\"sudo_rules\",\"owner\":\"security\","
        "\"valid_until\":\"2026-12-31T00:00:00Z\"}\n");
}

TEST_CASE("a register without an end has none", "[register]") {
  const auto loaded = load_register(changed("valid_until: 2026-12-31T00:00:00Z\n", ""), "r.yaml");
  REQUIRE(loaded);
  const auto table = registers_table({*loaded});
  REQUIRE(table);
  CHECK(table->bytes.find("\"valid_until\":null") != std::string::npos);
}

TEST_CASE("what is wrong in a register is refused with its line", "[register]") {
  const auto [from, to, line] = GENERATE(table<std::string, std::string, std::string>({
      {"register: sudo_rules", "register: Sudo", "r.yaml:1:"},
      {"owner: security", "owners: security", "r.yaml:3:"},
      {"as_of: 2026-06-01T00:00:00Z", "as_of: yesterday", "r.yaml:4:"},
      {"key: [user, command]", "key: [nobody]", "r.yaml:7:"},
      {"since: \"time?\"", "since: date", "r.yaml:7:"},
      {"user: backup", "user: 7", "r.yaml:10:"},
      {"user: backup, command: /usr/bin/restic", "user: \"%sudo\", command: ALL", "r.yaml:10:"},
  }));
  CAPTURE(to);

  const auto loaded = load_register(changed(from, to), "r.yaml");

  REQUIRE_FALSE(loaded);
  CHECK_THAT(loaded.error().message, Catch::StartsWith(line));
}

}  // namespace vouch::policy
