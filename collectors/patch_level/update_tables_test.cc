// SPDX-License-Identifier: Apache-2.0
// What a pin withholds, where packages come from, and how long updates have waited.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <set>
#include <string>

#include "collectors/patch_level/patch_level.h"
#include "collectors/patch_level/seen_updates.h"
#include "collectors/sdk/testing.h"
#include "core/file.h"
#include "core/process.h"

namespace vouch::patch_level {
namespace {

using facts::PendingUpdate;
using facts::UpdateMemory;

constexpr const char* kLists = "/var/lib/apt/lists/x_dists_";
constexpr WallSeconds kDay = 86400;

std::string entry(const std::string& name, const std::string& version) {
  return "Package: " + name + "\nArchitecture: amd64\nVersion: " + version + "\n\n";
}

std::string installed(const std::string& name, const std::string& version,
                      const std::string& selection = "install") {
  return "Package: " + name + "\nStatus: " + selection +
         " ok installed\nArchitecture: amd64\nVersion: " + version + "\n\n";
}

void add_suite(sdk::TestTree& tree, const std::string& suite, const std::string& packages) {
  tree.file(kLists + suite + "_Release", "Origin: O\nSuite: " + suite + "\nCodename: " + suite +
                                             "\nDate: Sat, 11 Jul 2026 10:16:37 UTC\n")
      .file(kLists + suite + "_main_binary-amd64_Packages", packages);
}

// A stable suite, its security archive, and backports, which are not automatic.
void make_host(sdk::TestTree& tree) {
  tree.file("/etc/apt/sources.list",
            "deb http://x/ s main\ndeb http://x/ s-security main\ndeb http://x/ s-bpo main\n");
  add_suite(tree, "s", entry("a", "1") + entry("b", "2") + entry("old", "1"));
  add_suite(tree, "s-security", entry("a", "1.1") + entry("h", "1.1"));
  add_suite(tree, "s-bpo", entry("b", "9"));
  tree.file(std::string(kLists) + "s-bpo_Release",
            "Origin: O\nSuite: s-bpo\nNotAutomatic: yes\nDate: Sat, 11 Jul 2026 10:16:37 UTC\n")
      .file("/var/lib/dpkg/status", installed("dpkg", "1") + installed("a", "1") +
                                        installed("b", "1") + installed("h", "1", "hold") +
                                        installed("old", "3~foreign"));
}

sdk::TestAnswer run(const sdk::TestTree& tree, std::vector<std::string> tables,
                    const std::string& cache = {}) {
  return sdk::run_collector(make_patch_level(), tree.path(),
                            {.tables = std::move(tables), .cache_dir = cache});
}

// Older than the moment in which a file may still change within a tick of its time stamp.
void settle(const sdk::TestTree& tree) {
  for (const auto& item : std::filesystem::recursive_directory_iterator(tree.path())) {
    const timespec times[2] = {{1000000000, 0}, {1000000000, 0}};
    REQUIRE(utimensat(AT_FDCWD, item.path().c_str(), times, 0) == 0);
  }
}

PendingUpdate pending(const std::string& installed_version, WallSeconds since,
                      std::optional<WallSeconds> security) {
  return {"a", "amd64", installed_version, since, security};
}

// One package a: installed in `version`, with an update or without.
struct Host {
  explicit Host(const std::string& version) {
    status.packages.push_back({"a", "amd64", version, "a", version, "installed", false, {}});
  }
  std::vector<PackageUpdate> updates(bool security) const {
    return {{&status.packages[0], "9", "O", "s", security, {}}};
  }
  DpkgStatus status;
};

TEST_CASE("a security update behind a pin is withheld, not gone", "[updates]") {
  sdk::TestTree tree;
  make_host(tree);
  CHECK(run(tree, {"withheld_updates"}).tables.at("withheld_updates").empty());

  tree.file("/etc/apt/preferences.d/p", "Package: a\nPin: version 1\nPin-Priority: 1001\n");
  const auto answer = run(tree, {"package_updates", "withheld_updates", "apt_pins"});

  CHECK(answer.violation.empty());
  CHECK(answer.cell("package_updates", "name", "a", "candidate_version").empty());
  CHECK(answer.cell("withheld_updates", "name", "a", "withheld_version") == "1.1");
  CHECK(answer.cell("withheld_updates", "name", "a", "security") == "true");
  CHECK(answer.tables.at("withheld_updates").size() == 1);  // Backports are nobody's update.
  CHECK(answer.cell("apt_pins", "packages", "a", "pin") == "version 1");
  CHECK(answer.cell("apt_pins", "packages", "a", "source") == "/etc/apt/preferences.d/p");
}

TEST_CASE("a pin that lets an older update through withholds only the newer one", "[updates]") {
  sdk::TestTree tree;
  make_host(tree);
  add_suite(tree, "s", entry("a", "1.0.5"));
  tree.file("/etc/apt/preferences.d/p", "Package: a\nPin: release a=s\nPin-Priority: 900\n");

  const auto answer = run(tree, {"package_updates", "withheld_updates"});

  CHECK(answer.cell("package_updates", "name", "a", "candidate_version") == "1.0.5");
  CHECK(answer.cell("package_updates", "name", "a", "security") == "false");
  CHECK(answer.cell("withheld_updates", "name", "a", "withheld_version") == "1.1");
}

TEST_CASE("a held package keeps its pending update", "[updates]") {
  sdk::TestTree tree;
  make_host(tree);

  const auto answer = run(tree, {"package_updates"});

  CHECK(answer.cell("package_updates", "name", "h", "held") == "true");
  CHECK(answer.cell("package_updates", "name", "h", "security") == "true");
}

TEST_CASE("each installed package has the archives of its version, or none", "[updates]") {
  sdk::TestTree tree;
  make_host(tree);

  const auto answer = run(tree, {"package_origins"});

  CHECK(answer.violation.empty());
  CHECK(answer.cell("package_origins", "name", "a", "suite") == "s");
  CHECK(answer.cell("package_origins", "name", "a", "component") == "main");
  CHECK(answer.cell("package_origins", "name", "a", "newest_listed") == "1.1");
  CHECK(answer.cell("package_origins", "name", "b", "listed") == "false");  // Outdated.
  CHECK(answer.cell("package_origins", "name", "b", "newest_listed") == "9");
  CHECK(answer.cell("package_origins", "name", "dpkg", "newest_listed") == "null");
  CHECK(answer.cell("package_origins", "name", "old", "listed") == "false");  // Foreign.
  CHECK(answer.cell("package_origins", "name", "old", "newest_listed") == "1");
}

TEST_CASE("apt calls the same packages of this host local", "[updates]") {
  if (access("/usr/bin/apt", X_OK) != 0) {
    WARN("skipped: apt is not installed");
    return;
  }
  const auto answer = sdk::run_collector(make_patch_level(), "/",
                                         {.tables = {"package_origins", "package_updates"}});
  if (answer.errors.contains("package_origins")) {
    WARN("skipped: " + answer.errors.at("package_origins"));
    return;
  }
  Command command;
  command.argv = {"/usr/bin/apt", "list", "--installed"};
  command.environment = {"LC_ALL=C", "PATH=/usr/bin:/bin"};
  const auto exit = run_process(command);
  REQUIRE(exit);
  std::set<std::string> theirs;
  for (std::string_view rest = exit->standard_output; !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.find(",local]") != line.npos) theirs.emplace(line.substr(0, line.find('/')));
  }

  std::set<std::string> ours;
  for (const json::Value& row : answer.tables.at("package_origins")) {
    const std::string name = *json::get_string(row, "name");
    const bool has_update =
        !answer.cell("package_updates", "name", name, "candidate_version").empty();
    if (!*json::get_bool(row, "listed") && !has_update) ours.insert(name);
  }
  CHECK(ours == theirs);
}

TEST_CASE("ages are kept between runs and end with the update", "[ages]") {
  sdk::TestTree tree;
  sdk::TestTree cache;
  make_host(tree);
  CHECK_THAT(run(tree, {"update_ages"}).errors.at("update_ages"),
             Catch::StartsWith("not-supported: no memory between runs"));

  const auto first = run(tree, {"update_ages", "applied_updates"}, cache.path());
  const std::string since = first.cell("update_ages", "name", "a", "pending_since");
  CHECK(first.violation.empty());
  CHECK(first.cell("update_ages", "name", "a", "security_since") == since);
  CHECK(first.cell("update_ages", "name", "b", "security_since") == "null");
  CHECK(first.tables.at("applied_updates").empty());

  tree.file("/var/lib/dpkg/status",
            installed("dpkg", "1") + installed("a", "1.1") + installed("b", "1"));
  const auto second = run(tree, {"update_ages", "applied_updates"}, cache.path());
  CHECK(second.cell("update_ages", "name", "a", "pending_since").empty());
  CHECK(second.cell("update_ages", "name", "b", "pending_since") ==
        first.cell("update_ages", "name", "b", "pending_since"));
  CHECK(second.cell("applied_updates", "name", "a", "new_version") == "1.1");
  CHECK(second.cell("applied_updates", "name", "a", "security_since") == since);
  CHECK(second.tables.at("applied_updates").size() == 1);  // h was removed, not updated.
}

TEST_CASE("a run with unchanged files answers from memory, with the same rows", "[ages]") {
  sdk::TestTree tree;
  sdk::TestTree cache;
  make_host(tree);
  settle(tree);
  const auto first = run(tree, {"update_ages"}, cache.path());
  const auto names = list_directory(cache.path(), 10);
  REQUIRE(names);
  const auto memory = read_file(cache.path() + "/" + names->at(0), 1 << 20);
  REQUIRE(memory);
  CHECK_FALSE(UpdateMemory::parse(*memory)->token.empty());

  const auto second = run(tree, {"update_ages"}, cache.path());

  CHECK(second.tables.at("update_ages") == first.tables.at("update_ages"));
  CHECK(first.tables.at("update_ages").size() == 3);
}

TEST_CASE("a damaged memory is a gap, and counting starts anew", "[ages]") {
  sdk::TestTree tree;
  sdk::TestTree cache;
  make_host(tree);
  run(tree, {"update_ages"}, cache.path());
  const auto names = list_directory(cache.path(), 10);
  REQUIRE(names);
  REQUIRE(names->size() == 1);
  cache.file("/" + names->front(), "vouch-update-memory-1\njunk");

  const auto answer = run(tree, {"update_ages"}, cache.path());

  CHECK(answer.has_gap("update_ages", "memory"));
  CHECK(answer.tables.at("update_ages").size() == 3);
  CHECK_FALSE(run(tree, {"update_ages"}, cache.path()).has_gap("update_ages", "memory"));
}

TEST_CASE("the clock of an installed version runs from its first update", "[ages]") {
  const Host host("1");
  UpdateMemory memory;
  observe(memory, host.updates(false), host.status, 10 * kDay, true);
  CHECK(memory.pending.at(0) == pending("1", 10 * kDay, {}));

  observe(memory, host.updates(true), host.status, 12 * kDay, true);
  observe(memory, host.updates(true), host.status, 15 * kDay, true);
  CHECK(memory.pending.at(0) == pending("1", 10 * kDay, 12 * kDay));

  observe(memory, host.updates(true), host.status, 5 * kDay, true);  // The clock was ahead.
  CHECK(memory.pending.at(0) == pending("1", 5 * kDay, 5 * kDay));
}

TEST_CASE("an update that was installed is kept for a year, one withdrawn is dropped", "[ages]") {
  const Host before("1");
  const Host after("2");
  UpdateMemory memory;
  observe(memory, before.updates(true), before.status, 10 * kDay, true);

  UpdateMemory withdrawn = memory;
  observe(withdrawn, {}, before.status, 12 * kDay, true);
  CHECK(withdrawn.pending.empty());
  CHECK(withdrawn.applied.empty());

  UpdateMemory unreadable = memory;
  observe(unreadable, {}, before.status, 12 * kDay, false);
  CHECK(unreadable.pending.size() == 1);

  observe(memory, after.updates(false), after.status, 12 * kDay, true);
  REQUIRE(memory.applied.size() == 1);
  CHECK(memory.applied[0].new_version == "2");
  CHECK(memory.applied[0].applied == 12 * kDay);
  CHECK(memory.applied[0].update == pending("1", 10 * kDay, 10 * kDay));
  CHECK(memory.pending.at(0) == pending("2", 12 * kDay, {}));
  CHECK(*UpdateMemory::parse(memory.serialize()) == memory);
  observe(memory, {}, after.status, 500 * kDay, true);
  CHECK(memory.applied.empty());
}

TEST_CASE("no cut and no flipped byte of the memory is taken for one", "[ages]") {
  const Host host("1");
  UpdateMemory memory;
  observe(memory, host.updates(true), host.status, kDay, true);
  const std::string bytes = memory.serialize();

  for (std::size_t i = 0; i < bytes.size(); ++i) {
    CAPTURE(i);
    CHECK_FALSE(UpdateMemory::parse(std::string_view(bytes).substr(0, i)));
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    const auto parsed = UpdateMemory::parse(flipped);
    CHECK_FALSE((parsed && !(*parsed == memory)));
  }
}

}  // namespace
}  // namespace vouch::patch_level
