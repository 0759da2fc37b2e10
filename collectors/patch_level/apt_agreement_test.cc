// SPDX-License-Identifier: Apache-2.0
// apt itself is asked about hand-made hosts, and about this one: both answers must be the same.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "collectors/patch_level/patch_level.h"
#include "collectors/sdk/testing.h"
#include "core/process.h"

namespace vouch::patch_level {
namespace {

using Updates =
    std::map<std::string, std::string>;  // "name/arch" → "installed → candidate suites".

bool has_apt() {
  return access("/usr/bin/apt", X_OK) == 0 && access("/usr/bin/dpkg", X_OK) == 0;
}

// "NAME/SUITES VERSION ARCH [upgradable from: VERSION]"
Updates parse_apt_list(const std::string& output) {
  Updates updates;
  std::size_t at = 0;
  while (at < output.size()) {
    const auto end = std::min(output.find('\n', at), output.size());
    const std::string line = output.substr(at, end - at);
    at = end + 1;
    const auto slash = line.find('/');
    const auto from = line.find(" [upgradable from: ");
    if (slash == line.npos || from == line.npos) continue;
    const auto version = line.find(' ', slash) + 1;
    const auto arch = line.find(' ', version) + 1;
    std::string suites = line.substr(slash + 1, version - slash - 2);
    if (suites == "unknown") suites.clear();  // Its word for a repository without one.
    updates[line.substr(0, slash) + "/" + line.substr(arch, from - arch)] =
        line.substr(from + 19, line.size() - from - 20) + " → " +
        line.substr(version, arch - version - 1) + " " + suites;
  }
  return updates;
}

Updates ask_apt(const std::vector<std::string>& environment) {
  Command command;
  command.argv = {"/usr/bin/apt", "list", "--upgradable"};
  command.environment = environment;
  command.environment.insert(command.environment.end(), {"LC_ALL=C", "PATH=/usr/bin:/bin"});
  const auto exit = run_process(command);
  REQUIRE(exit);
  INFO(exit->standard_error);
  REQUIRE(exit->code == 0);
  return parse_apt_list(exit->standard_output);
}

Updates ask_ours(const std::string& root) {
  const auto answer = sdk::run_collector(make_patch_level(), root, {.tables = {"package_updates"}});
  CAPTURE(answer.raw);
  REQUIRE(answer.violation.empty());
  REQUIRE(answer.errors.empty());
  CHECK(answer.tables.at("gaps").empty());
  Updates updates;
  for (const json::Value& row : answer.tables.at("package_updates")) {
    updates[*json::get_string(row, "name") + "/" + *json::get_string(row, "arch")] =
        *json::get_string(row, "installed_version") + " → " +
        *json::get_string(row, "candidate_version") + " " + *json::get_string(row, "suite");
  }
  return updates;
}

std::string package(const std::string& name, const std::string& version,
                    const std::string& more = {}, const std::string& arch = "amd64") {
  return "Package: " + name + "\nArchitecture: " + arch + "\nVersion: " + version +
         "\nMaintainer: A <a@example.test>\nFilename: pool/" + name + ".deb\nSize: 1\n" + more +
         "Description: x\n\n";
}

std::string installed(const std::string& name, const std::string& version,
                      const std::string& more = {}, const std::string& arch = "amd64",
                      const std::string& selection = "install ok installed") {
  return "Package: " + name + "\nStatus: " + selection + "\nArchitecture: " + arch +
         "\nVersion: " + version + "\nMaintainer: A <a@example.test>\n" + more +
         "Description: x\n\n";
}

std::string release(const std::string& suite, const std::string& codename,
                    const std::string& more = {}) {
  return "Origin: Example\nLabel: Example\nSuite: " + suite + "\nCodename: " + codename +
         "\nVersion: 12.1\nDate: Sat, 11 Jul 2026 10:16:37 UTC\n"
         "Architectures: all amd64 i386\nComponents: main\n" +
         more;
}

constexpr const char* kLists = "/var/lib/apt/lists/";

void add_suite(sdk::TestTree& tree, const std::string& prefix, const std::string& release_text,
               const std::string& packages, const std::string& foreign_packages = {}) {
  tree.file(kLists + prefix + "_Release", release_text);
  tree.file(kLists + prefix + "_main_binary-amd64_Packages", packages);
  if (!foreign_packages.empty()) {
    tree.file(kLists + prefix + "_main_binary-i386_Packages", foreign_packages);
  }
}

// A host with four suites of one archive and a flat repository.
void make_host(sdk::TestTree& tree) {
  tree.directory("/var/lib/apt/lists/partial").directory("/etc/apt/apt.conf.d");
  tree.directory("/etc/apt/preferences.d").directory("/etc/apt/sources.list.d");
  tree.directory("/var/cache/apt/archives/partial").directory("/var/lib/dpkg/updates");
  tree.file("/var/lib/dpkg/arch", "amd64\ni386\n");
  tree.file("/etc/apt/sources.list",
            "deb [trusted=yes] http://deb.example.test/debian stable main # the archive\n"
            "deb [trusted=yes] http://deb.example.test/debian stable-security main\n"
            "deb [trusted=yes] http://deb.example.test/debian stable-backports main\n"
            "deb [trusted=yes arch=amd64] http://deb.example.test/debian experimental main\n");
  tree.file("/etc/apt/sources.list.d/flat.sources",
            "Types: deb\nURIs: https://user:secret@other.example.test:8080/x_y\nSuites: ./\n"
            "Trusted: yes\n");
  const std::string archive = "deb.example.test_debian_dists_";
  add_suite(
      tree, archive + "stable", release("stable", "bookworm"),
      package("plain", "1.1") + package("secured", "1.1") + package("same", "1.0") +
          package("rebuilt", "1.0", "Depends: libc6 (>= 2)\n") + package("downgrade", "0.9") +
          package("held", "2.0") + package("everywhere", "1.1", {}, "all") +
          package("backported", "1.0") + package("leftover", "2.0") + package("newport", "1.0") +
          package("phased", "1.1", "Phased-Update-Percentage: 10\n") + package("pinned", "1.1") +
          package("pinned", "1.2") + package("multi", "1.1", "Multi-Arch: same\n") +
          package("sourced", "1.1", "Source: src-x (1)\n"),
      package("multi", "1.1", "Multi-Arch: same\n", "i386"));
  add_suite(tree, archive + "stable-security", release("stable-security", "bookworm-security"),
            package("secured", "1.2") + package("plain", "1.0.1"));
  add_suite(tree, archive + "stable-backports",
            release("stable-backports", "bookworm-backports",
                    "NotAutomatic: yes\nButAutomaticUpgrades: yes\n"),
            package("plain", "2.0") + package("newport", "2.0~bpo2"));
  add_suite(tree, archive + "experimental",
            release("experimental", "rc-buggy", "NotAutomatic: yes\n"),
            package("plain", "3.0") + package("secured", "3.0"));
  const std::string flat = std::string(kLists) + "other.example.test:8080_x%5fy_._";
  tree.file(flat + "Release", "Origin: Other\nLabel: Other\nDate: Sat, 11 Jul 2026 10:16:37 UTC\n");
  tree.file(flat + "Packages", package("plain", "1.05") + package("other", "2"));
  tree.file("/var/lib/dpkg/status",
            installed("dpkg", "1.21") + installed("plain", "1.0") + installed("secured", "1.0") +
                installed("same", "1.0") + installed("rebuilt", "1.0") +
                installed("downgrade", "1.0") +
                installed("held", "1.0", {}, "amd64", "hold ok installed") +
                installed("everywhere", "1.0", {}, "all") + installed("backported", "1.5~bpo1") +
                installed("newport", "2.0~bpo1") + installed("phased", "1.0") +
                installed("leftover", "1.0", {}, "amd64", "deinstall ok config-files") +
                installed("broken", "1.0", {}, "amd64", "install ok half-configured") +
                installed("pinned", "1.0") + installed("multi", "1.0", "Multi-Arch: same\n") +
                installed("multi", "1.0", "Multi-Arch: same\n", "i386") + installed("other", "1") +
                installed("sourced", "1.0", "Source: src-x (1)\n"));
}

Updates ask_apt_about(sdk::TestTree& tree) {
  tree.file("/apt.conf", "Dir \"" + tree.path() + "/\";\nDir::State::status \"" + tree.path() +
                             "/var/lib/dpkg/status\";\nAPT::Architecture \"amd64\";\n"
                             "APT::Architectures { \"amd64\"; \"i386\"; };\n");
  return ask_apt({"APT_CONFIG=" + tree.path() + "/apt.conf"});
}

// One update per line, so that a failure can be read.
std::string text_of(const Updates& updates) {
  std::string text;
  for (const auto& [key, value] : updates) text += key + ": " + value + "\n";
  return text;
}

TEST_CASE("apt gives the same updates for hand-made hosts", "[updates]") {
  if (!has_apt()) {
    WARN("skipped: apt is not installed");
    return;
  }
  const auto* preferences =
      GENERATE("", "Package: *\nPin: release a=stable-backports\nPin-Priority: 600\n",
               "Package: *\nPin: release n=rc-buggy\nPin-Priority: 991\n",
               "Package: plain\nPin: version 1.1*\nPin-Priority: 1001\n",
               "Package: plain\nPin: release a=experimental\nPin-Priority: 700\n",
               "Package: plain secured\nPin: release o=Example,a=stable\nPin-Priority: 900\n",
               "Package: *\nPin: origin \"other.example.test\"\nPin-Priority: 900\n",
               "Package: *\nPin: origin deb.example.test\nPin-Priority: -1\n",
               "Package: *\nPin: release l=Other\nPin-Priority: 50\n",
               "Package: downgrade\nPin: release a=stable\nPin-Priority: 1001\n",
               "Package: *\nPin: release a=stable\nPin-Priority: 1001\n",
               "Package: /^sec/ p*\nPin: release a=stable\nPin-Priority: 99\n",
               "Package: pinned\nPin: version 1.1\nPin-Priority: 990\n\n"
               "Package: pinned\nPin: version 1.2\nPin-Priority: 995\n",
               "Package: pinned\nPin: version 9\nPin-Priority: 990\n\n"
               "Package: pinned\nPin: version 1.1\nPin-Priority: 995\n",
               "Package: multi\nPin: release a=stable\nPin-Priority: -1\n",
               "Package: multi:i386\nPin: release a=stable\nPin-Priority: -1\n",
               "Package: multi:any\nPin: release a=stable\nPin-Priority: -1\n",
               "Package: m*\nPin: release a=stable\nPin-Priority: -1\n",
               "Package: src:src-x\nPin: release a=stable\nPin-Priority: -5\n",
               "Package: src:src-*\nPin: release a=stable\nPin-Priority: -5\n",
               "Package: *\nPin: release *\nPin-Priority: 700\n",
               "Package: *\nPin: release stable\nPin-Priority: 90\n",
               "Package: *\nPin: release a=now\nPin-Priority: 2000\n",
               "Package: *\nPin: release v=12*\nPin-Priority: 80\n",
               "Package: *\nPin: release c=main, b=i386\nPin-Priority: 80\n",
               "# a comment\nExplanation: why\nPackage: plain\n# another\nPin: version "
               "1.0.1\nPin-Priority: 999\n",
               "Package: *\nPin: origin \"\"\nPin-Priority: 50\n",
               "Package: *\nPin: release a=stable\nPin-Priority: never\n",
               "Package: plain\nPin: version /^1[.]05/\nPin-Priority: 999\n");
  CAPTURE(preferences);
  sdk::TestTree tree;
  make_host(tree);
  tree.file("/etc/apt/preferences.d/site.pref", preferences);

  const Updates ours = ask_ours(tree.path());

  CHECK(text_of(ours) == text_of(ask_apt_about(tree)));
}

TEST_CASE("apt gives the same updates under a default release", "[updates]") {
  if (!has_apt()) {
    WARN("skipped: apt is not installed");
    return;
  }
  const auto* name =
      GENERATE("stable", "bookworm-backports", "experimental", "/^stable/", "n=rc-buggy");
  CAPTURE(name);
  sdk::TestTree tree;
  make_host(tree);
  tree.file("/etc/apt/apt.conf.d/90release",
            std::string("apt { default-RELEASE \"") + name + "\"; };\n");
  tree.file("/etc/apt/preferences",
            "Package: *\nPin: release a=stable-security\nPin-Priority: 995\n");
  tree.file("/etc/apt/preferences.d/a",
            "Package: *\nPin: release a=stable-security\nPin-Priority: 5\n");

  const Updates ours = ask_ours(tree.path());

  CHECK(text_of(ours) == text_of(ask_apt_about(tree)));
}

TEST_CASE("apt gives the same updates for this host", "[updates]") {
  if (!has_apt()) {
    WARN("skipped: apt is not installed");
    return;
  }
  const auto answer = sdk::run_collector(make_patch_level(), "/", {.tables = {"package_updates"}});
  REQUIRE(answer.violation.empty());
  if (answer.errors.contains("package_updates")) {
    WARN("skipped: " + answer.errors.at("package_updates"));
    return;
  }

  // The architecture shown differs where a package became architecture-independent.
  const auto without_architecture = [](const Updates& updates) {
    Updates names;
    for (const auto& [key, value] : updates) names[key.substr(0, key.find('/')) + " " + value] = "";
    return names;
  };
  CHECK(text_of(without_architecture(ask_ours("/"))) == text_of(without_architecture(ask_apt({}))));
}

}  // namespace
}  // namespace vouch::patch_level
