// SPDX-License-Identifier: Apache-2.0
#include "collectors/command/command.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "collectors/sdk/testing.h"
#include "core/digest.h"

namespace vouch::command {
namespace {

using Catch::Contains;

// A site with one script, and the file that declares it. In /tmp, which is sticky.
struct Site {
  sdk::TestTree tree;
  std::string script;

  explicit Site(std::string_view body, const std::string& keys = "", mode_t mode = 0755)
      : script("#!/bin/sh\n" + std::string(body)) {
    tree.file("/say", script, mode);
    tree.file("/command.yaml", "commands:\n  - table: said\n    argv: [" + tree.path() +
                                   "/say, --token, hunter2]\n" +
                                   (keys.empty() ? "" : "    " + keys + "\n") +
                                   "    columns: [{ name: a, type: integer, key: true }]\n");
  }
  sdk::TestAnswer run(const std::string& root = "/") const {
    return sdk::run_collector(make_command(), root,
                              {.options = {{"file", tree.path() + "/command.yaml"}}});
  }
};

}  // namespace

TEST_CASE("what a command prints is its table, and its digest is on record", "[command]") {
  const Site site("echo '{\"a\":1}'; echo '{\"a\":2}'\n");

  const auto answer = site.run();

  CHECK(answer.violation.empty());
  CHECK(answer.errors.empty());
  CHECK(answer.tables.at("said").size() == 2);
  CHECK(answer.cell("site_commands", "table_name", "said", "sha256") == sha256_hex(site.script));
  CHECK(answer.cell("site_commands", "table_name", "said", "arguments") == "--token [redacted]");
  CHECK(answer.raw.find("hunter2") == std::string::npos);
}

TEST_CASE("a line that is no row is a gap, and the others stand", "[command]") {
  const auto answer = Site("echo '{\"a\":1}'; echo Warning; echo '{\"a\":null}'\n").run();

  CHECK(answer.tables.at("said").size() == 1);
  CHECK(answer.has_gap("said", "line 2"));
  CHECK(answer.has_gap("said", "line 3"));
}

TEST_CASE("a command that does not end well makes its table an error with the reason",
          "[command]") {
  struct Case {
    const char* body;
    const char* keys;
    const char* error;
  };
  const auto given = GENERATE(values<Case>({
      {"echo '{\"a\":1}'; echo 'no pool --password=hunter2' >&2; exit 1", "",
       "tool-failed: *exited with 1: no pool --password=[redacted]"},
      {"exit 3", "exits: [{ code: 3, means: not-supported }]", "not-supported: *exited with 3"},
      {"exit 3", "exits: [{ code: 3, means: not-found }]", "not-found: *exited with 3"},
      {"exit 3", "exits: [{ code: 3, means: permission-denied }]", "permission-denied: *"},
      {"echo '{\"a\":1}'; exit 1", "exits: [{ code: 1, means: nothing }]",
       "parse-error: *printed something"},
      {"kill -9 $$", "", "tool-failed: *was killed by signal 9"},
      {"exec sleep 60", "timeout: 1s", "timeout: *did not end in time"},
      {"exec yes '{\"a\":1}'", "", "too-large: *more than 16 MiB"},
  }));
  CAPTURE(given.body);

  const auto answer = Site(given.body, given.keys).run();

  REQUIRE(answer.errors.count("said") == 1);
  const std::string wanted = given.error;
  const auto star = wanted.find('*');
  CHECK_THAT(answer.errors.at("said"), Catch::StartsWith(wanted.substr(0, star)));
  CHECK_THAT(answer.errors.at("said"), Contains(wanted.substr(star + 1)));
  CHECK(answer.raw.find("hunter2") == std::string::npos);
}

TEST_CASE("an exit that means nothing is an empty table", "[command]") {
  const auto answer = Site("exit 1", "exits: [{ code: 1, means: nothing }]").run();

  CHECK(answer.errors.empty());
  CHECK(answer.tables.at("said").empty());
}

TEST_CASE("a program that others could change is not run", "[command]") {
  const Site site("echo '{\"a\":1}'\n", "", 0777);
  REQUIRE(::chmod((site.tree.path() + "/say").c_str(), 0777) == 0);

  const auto answer = site.run();

  CHECK_THAT(answer.errors.at("said"), Catch::StartsWith("permission-denied"));
  CHECK(answer.has_gap("site_commands", "said"));
}

TEST_CASE("a declaration that others could write is not believed", "[command]") {
  const Site site("echo '{\"a\":1}'\n");
  REQUIRE(::chmod((site.tree.path() + "/command.yaml").c_str(), 0666) == 0);

  CHECK_THAT(site.run().violation, Contains("command.yaml"));
}

TEST_CASE("no command is run for an image", "[command]") {
  const sdk::TestTree image;

  const auto answer = Site("touch ran\n").run(image.path());

  CHECK_THAT(answer.errors.at("said"), Contains("not-supported"));
  CHECK_THAT(answer.errors.at("site_commands"), Contains("not-supported"));
}

TEST_CASE("no shell sees the words of a command", "[command]") {
  sdk::TestTree tree;
  tree.file(
      "/command.yaml",
      "commands:\n  - table: said\n    argv: [/usr/bin/printf, '{\"a\":1,\"b\":\"$HOME;*\"}']\n"
      "    columns: [{ name: a, type: integer, key: true }, { name: b }]\n");

  const auto answer = sdk::run_collector(make_command(), "/",
                                         {.options = {{"file", tree.path() + "/command.yaml"}}});

  CHECK(answer.cell("said", "a", "1", "b") == "$HOME;*");
}

TEST_CASE("where nothing is declared the table says so", "[command]") {
  const auto answer = sdk::run_collector(make_command(), "/", {.tables = {"site_commands"}});

  CHECK_THAT(answer.errors.at("site_commands"), Contains("no command is declared"));
}

}  // namespace vouch::command
