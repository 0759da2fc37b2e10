// SPDX-License-Identifier: Apache-2.0
// A database that rpm's own tools make, read and compared with what `rpm -qa` says of it.
#include "collectors/rpm_packages/rpm_packages.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "collectors/rpm_packages/rpm_database.h"
#include "collectors/sdk/testing.h"
#include "core/process.h"

// librpm does not close a database that it could not read.
extern "C" __attribute__((visibility("default"))) const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libsqlite3\nleak:librpm\n";
}

namespace vouch::rpm_packages {
namespace {

constexpr const char* kPath = "/usr/lib/sysimage/rpm";

bool has_rpm() {
  const bool has = access("/usr/bin/rpm", X_OK) == 0 && access("/usr/bin/rpmbuild", X_OK) == 0;
  if (!has) WARN("skipped: rpm and rpmbuild are not installed");
  return has;
}

std::string start(std::vector<std::string> argv) {
  Command command;
  command.argv = std::move(argv);
  command.environment = {"PATH=/usr/bin:/bin", "HOME=/nonexistent", "LC_ALL=C"};
  const auto exit = run_process(command);
  REQUIRE(exit);
  CAPTURE(exit->standard_error);
  REQUIRE(exit->code == 0);
  return exit->standard_output;
}

std::string spec(const std::string& name, const std::string& version, const std::string& more) {
  return "Name: " + name + "\nVersion: " + version +
         "\nRelease: 1\nSummary: x\nLicense: x\nBuildArch: noarch\n" + more +
         "%description\nx\n%files\n";
}

// Makes packages and puts them into a database of the backend below the tree.
void make_database(sdk::TestTree& tree, const std::string& backend) {
  const std::string database = tree.path() + kPath;
  tree.directory(kPath)
      .file("/b/one.spec", spec("one", "1.0", "Vendor: Example\n"))
      .file("/b/two.spec", spec("two", "2.0", "Epoch: 3\n"))
      .file("/b/two-new.spec", spec("two", "2.1", "Epoch: 3\n"));
  for (const char* name : {"one", "two", "two-new"}) {
    start({"/usr/bin/rpmbuild", "-bb", "--define", "_topdir " + tree.path() + "/b", "--dbpath",
           database, tree.path() + "/b/" + name + ".spec"});
  }
  const std::vector<std::string> install = {
      "/usr/bin/rpm", "-i",          "--justdb", "--nodeps",
      "--force",      "--noscripts", "--define", "_db_backend " + backend,
      "--dbpath",     database};
  for (const char* name : {"one-1.0-1", "two-2.0-1", "two-2.1-1"}) {
    auto argv = install;
    argv.push_back(tree.path() + "/b/RPMS/noarch/" + name + ".noarch.rpm");
    start(argv);
  }
}

sdk::TestAnswer run(const std::string& root) {
  return sdk::run_collector(make_rpm_packages(), root, {.tables = {"rpm_packages"}});
}

TEST_CASE("the database of an image is read as rpm itself reads it", "[rpm]") {
  if (!has_rpm()) return;
  const std::string backend = "sqlite";  // The only one that Debian's rpm can write.
  sdk::TestTree tree;
  make_database(tree, backend);

  const auto answer = run(tree.path());

  CAPTURE(answer.raw);
  CHECK(answer.violation.empty());
  CHECK(answer.errors.empty());
  CHECK(answer.cell("rpm_packages", "name", "one", "vendor") == "Example");
  CHECK(answer.cell("rpm_packages", "name", "one", "epoch") == "null");
  CHECK(answer.cell("rpm_packages", "name", "one", "source_rpm") == "one-1.0-1.src.rpm");
  CHECK(answer.cell("rpm_packages", "name", "one", "key_id") == "null");
  CHECK(answer.cell("rpm_packages", "version", "2.1", "epoch") == "3");
  std::set<std::string> ours;
  for (const json::Value& row : answer.tables.at("rpm_packages")) {
    ours.insert(*json::get_string(row, "name") + '-' + *json::get_string(row, "version") + '-' +
                *json::get_string(row, "release") + '.' + *json::get_string(row, "arch"));
  }
  std::set<std::string> theirs;
  const std::string listed = start({"/usr/bin/rpm", "-qa", "--define", "_db_backend " + backend,
                                    "--dbpath", tree.path() + kPath});
  for (std::string_view rest = listed; !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    theirs.emplace(line);
  }
  CHECK(ours == theirs);
}

TEST_CASE("a root without a database, and a damaged one, are errors", "[rpm]") {
  sdk::TestTree tree;
  CHECK_THAT(run(tree.path()).errors.at("rpm_packages"), Catch::StartsWith("not-found"));

  const auto* name = GENERATE("rpmdb.sqlite", "Packages.db", "Packages");
  CAPTURE(name);
  const std::string file = std::string("/var/lib/rpm/") + name;
  const auto* junk = GENERATE("", "junk", "SQLite format 3\0xxxxxxxxxxxxxxxxx");
  tree.file(file, junk);
  CHECK(run(tree.path()).errors.contains("rpm_packages"));
  tree.remove(file).symlink(file, "/etc/passwd");
  CHECK_THAT(run(tree.path()).errors.at("rpm_packages"), Catch::Contains("not a regular file"));
  tree.remove(file).fifo(file);
  CHECK(run(tree.path()).errors.contains("rpm_packages"));
}

TEST_CASE("a database that was cut off is an error", "[rpm]") {
  if (!has_rpm()) return;
  sdk::TestTree tree;
  make_database(tree, "sqlite");
  const std::string file = tree.path() + kPath + "/rpmdb.sqlite";
  REQUIRE(truncate(file.c_str(), 3000) == 0);
  tree.remove(std::string(kPath) + "/rpmdb.sqlite-wal");

  CHECK(run(tree.path()).errors.contains("rpm_packages"));
}

TEST_CASE("the key is taken out of the words on a signature", "[rpm]") {
  CHECK(key_id_of("RSA/SHA256, Mon 01 Jan 2026 00:00:00 UTC, Key ID 199e2f91fd431d51") ==
        "199e2f91fd431d51");
  CHECK(key_id_of("(none)").empty());
  CHECK(key_id_of("Key ID ").empty());
}

}  // namespace
}  // namespace vouch::rpm_packages
