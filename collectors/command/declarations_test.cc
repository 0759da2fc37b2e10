// SPDX-License-Identifier: Apache-2.0
#include "collectors/command/declarations.h"

#include <catch2/catch.hpp>

namespace vouch::command {
namespace {

Result<std::vector<CommandSpec>> read(const std::string& text) {
  auto node = yaml::parse(text, "command.yaml");
  REQUIRE(node);
  return read_commands({"command.yaml", *std::move(node)});
}

constexpr const char* kColumns = "columns: [{ name: a, key: true }]";

}  // namespace

TEST_CASE("a command is declared by its words, its form and what its exits mean", "[command]") {
  const auto commands = read(
      "commands:\n"
      "  - table: pools\n"
      "    argv: [/usr/sbin/zpool, list, -H]\n"
      "    format: tsv\n"
      "    timeout: 2m\n"
      "    exits: [{ code: 1, means: nothing }, { code: 3, means: not-supported }]\n"
      "    columns: [{ name: name, key: true }]\n");

  REQUIRE(commands);
  const CommandSpec& spec = commands->front();
  CHECK(spec.table->name == "pools");
  CHECK(spec.argv == std::vector<std::string>{"/usr/sbin/zpool", "list", "-H"});
  CHECK(spec.form.format == Format::tsv);
  CHECK(spec.timeout == std::chrono::minutes(2));
  CHECK(spec.exits.at(0) == Meaning::rows);
  CHECK(spec.exits.at(1) == Meaning::nothing);
  CHECK(spec.exits.at(3) == Meaning::not_supported);
}

TEST_CASE("a command that cannot be is refused with its place", "[command]") {
  const auto [keys, message] = GENERATE(table<std::string, std::string>({
      {"table: t, argv: [zpool]", "absolute path"},
      {"table: t, argv: []", "absolute path"},
      {"argv: [/bin/true]", "needs table"},
      {"table: t, argv: [/bin/true], format: xml", "jsonl, tsv or csv"},
      {"table: t, argv: [/bin/true], header: true", "only lines of tsv"},
      {"table: t, argv: [/bin/true], timeout: 2h", "between 1 and 3600"},
      {"table: t, argv: [/bin/true], exits: [{ code: 256, means: rows }]", "between 0 and 255"},
      {"table: t, argv: [/bin/true], exits: [{ code: 1, means: fine }]", "expected rows"},
      {"table: t, argv: [/bin/true], exits: [{ code: 1 }]", "code and means"},
      {"table: t, argv: [/bin/true], shell: true", "unknown key \"shell\""},
  }));
  CAPTURE(keys);

  const auto commands = read("commands:\n  - { " + keys + ", " + kColumns + " }\n");

  REQUIRE_FALSE(commands);
  CHECK_THAT(commands.error().message, Catch::StartsWith("command.yaml:2:"));
  CHECK_THAT(commands.error().message, Catch::Contains(message));
}

TEST_CASE("a file without commands is refused", "[command]") {
  CHECK_FALSE(read("commands: []\n"));
  CHECK_FALSE(read("command: []\n"));
  CHECK_FALSE(
      read("commands: [{ table: t, argv: [/bin/true], columns: [{ name: a, key: true, from: "
           "b }] }]\n"));
}

}  // namespace vouch::command
