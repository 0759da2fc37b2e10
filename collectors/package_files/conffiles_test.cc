// SPDX-License-Identifier: Apache-2.0
// modified_conffiles, with dpkg --verify as the judge.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <string>

#include "collectors/package_files/package_files.h"
#include "collectors/sdk/testing.h"
#include "core/process.h"

namespace vouch::package_files {
namespace {

const std::string kAbc = "900150983cd24fb0d6963f7d28e17f72";  // MD5 of "abc".

std::string stanza(const std::string& name, const std::string& conffiles,
                   const std::string& status = "install ok installed") {
  return "Package: " + name + "\nStatus: " + status +
         "\nArchitecture: amd64\nVersion: 1\nMaintainer: x\n" +
         (conffiles.empty() ? "" : "Conffiles:\n" + conffiles) + "Description: x\n /no/file " +
         kAbc + "\n\n";
}

// Good, changed, missing, new, with a blank in its name; and what is obsolete.
void make_host(sdk::TestTree& tree) {
  tree.file("/etc/good", "abc").file("/etc/changed", "abd").file("/etc/a b", "abd");
  tree.file("/etc/left", "abc").file("/etc/new", "x").file("/etc/removed", "abd");
  tree.directory("/var/lib/dpkg/updates").directory("/var/lib/dpkg/triggers");
  tree.file("/var/lib/dpkg/info/a.list",
            "/.\n/etc\n/etc/good\n/etc/changed\n/etc/missing\n/etc/a b\n/etc/left\n/etc/new\n"
            "/etc/gone\n");
  tree.file("/var/lib/dpkg/info/r.list", "/etc/removed\n").file("/var/lib/dpkg/info/a.md5sums", "");
  tree.file("/var/lib/dpkg/status",
            stanza("a", " /etc/good " + kAbc + "\n /etc/changed " + kAbc + "\n /etc/missing " +
                            kAbc + "\n /etc/a b " + kAbc + "\n /etc/left " + kAbc +
                            " obsolete\n /etc/gone " + kAbc + " obsolete\n") +
                stanza("r", " /etc/removed " + kAbc + "\n", "deinstall ok config-files") +
                stanza("n", " /etc/never " + kAbc + "\n", "purge ok not-installed"));
}

sdk::TestAnswer run(const sdk::TestTree& tree) {
  auto answer =
      sdk::run_collector(make_package_files(), tree.path(), {.tables = {"modified_conffiles"}});
  CHECK(answer.violation == "");
  return answer;
}

// Path → its first column of "??5?????? c /etc/a", "missing   c /etc/b".
std::map<std::string, std::string> ask_dpkg(const sdk::TestTree& tree) {
  Command command;
  command.argv = {"/usr/bin/dpkg", "--root=" + tree.path(), "--verify"};
  command.environment = {"PATH=/usr/bin:/bin", "LC_ALL=C"};
  const auto exit = run_process(command);
  REQUIRE(exit);
  INFO(exit->standard_output << exit->standard_error);
  std::map<std::string, std::string> found;
  for (std::string_view rest = exit->standard_output; !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.find(" c /") == std::string_view::npos) continue;
    std::string path(line.substr(line.find('/')));
    path = path.substr(0, path.find(" ("));
    found[path] = line.starts_with("missing") ? "missing" : "changed";
  }
  return found;
}

TEST_CASE("configuration files are compared as dpkg --verify does", "[conffiles]") {
  sdk::TestTree tree;
  make_host(tree);

  const auto answer = run(tree);

  CHECK(answer.tables.at("gaps").empty());
  std::map<std::string, std::string> ours;
  for (const json::Value& row : answer.tables.at("modified_conffiles")) {
    const std::string problem = *row.find("problem")->if_string();
    if (problem != "none") ours[*row.find("path")->if_string()] = problem;
  }
  CHECK(ours == std::map<std::string, std::string>{{"/etc/changed", "changed"},
                                                   {"/etc/missing", "missing"},
                                                   {"/etc/a b", "changed"},
                                                   {"/etc/removed", "changed"}});
  CHECK(answer.cell("modified_conffiles", "path", "/etc/left", "obsolete") == "true");
  CHECK(answer.cell("modified_conffiles", "path", "/etc/left", "problem") == "none");
  CHECK(answer.cell("modified_conffiles", "path", "/etc/gone", "problem") == "");
  if (::access("/usr/bin/dpkg", X_OK) != 0) {
    WARN("skipped: no dpkg here");
    return;
  }
  auto theirs = ask_dpkg(tree);
  theirs.erase("/etc/gone");  // dpkg misses what its package gave up.
  CHECK(ours == theirs);
}

TEST_CASE("a status file that is none of dpkg's is a gap, not an empty table", "[conffiles]") {
  sdk::TestTree tree;
  CHECK_THAT(run(tree).errors.at("modified_conffiles"), Catch::StartsWith("not-found"));

  tree.file("/var/lib/dpkg/status", stanza("a", " /etc/x nodigest\n /etc/y " + kAbc + "\n"));
  const auto answer = run(tree);

  CHECK(answer.has_gap("modified_conffiles", "/var/lib/dpkg/status"));
  CHECK(answer.cell("modified_conffiles", "path", "/etc/y", "problem") == "missing");
}

TEST_CASE("a configuration file that is no file, or leads out, is told", "[conffiles]") {
  sdk::TestTree tree;
  tree.fifo("/etc/pipe").symlink("/etc/out", "/../../../../etc/hostname").file("/etc/real", "abc");
  tree.file("/var/lib/dpkg/diversions", "/etc/conf\n/etc/real\nlocal\n");
  tree.file("/var/lib/dpkg/status",
            stanza("a", " /etc/pipe " + kAbc + "\n /etc/out " + kAbc + "\n /etc/conf " + kAbc +
                            "\n /etc/drop newconffile remove-on-upgrade\n"));

  const auto answer = run(tree);

  const auto problem = [&](const char* path) {
    return answer.cell("modified_conffiles", "path", path, "problem");
  };
  CHECK(problem("/etc/pipe") == "not a file");
  CHECK(problem("/etc/out") == "missing");
  CHECK(problem("/etc/real") == "");
  CHECK(problem("/etc/conf") == "");
  CHECK(problem("/etc/drop") == "");
}

}  // namespace
}  // namespace vouch::package_files
