// SPDX-License-Identifier: Apache-2.0
// What tests/hosts/rpm_updates_test.py compares with dnf itself, and what dnf's test cannot make.
#include "collectors/rpm_packages/update_finder.h"

#include <catch2/catch.hpp>

using namespace vouch;
using namespace vouch::rpm_packages;

namespace {

ListedPackage package(const char* name, const char* version, const char* arch = "x86_64",
                      const char* vendor = "") {
  return {name, arch, "0", version, "1", vendor};
}

ManagerConfig config_with(int repositories) {
  ManagerConfig config;
  for (int i = 0; i < repositories; ++i) {
    Repository repository;
    repository.id = std::string(1, static_cast<char>('a' + i));
    config.repositories.push_back(repository);
  }
  return config;
}

}  // namespace

TEST_CASE("patterns are of the name or of the whole", "[updates]") {
  const ListedPackage one{"a-b", "x86_64", "2", "1.0", "3.el10", ""};
  for (const char* pattern :
       {"a-b", "a-*", "a-b.x86_64", "a-b-1.0", "a-b-1.0-3.el10", "a-b-2:1.0-3.el10",
        "a-b-2:1.0-3.el10.*", "2:a-b-1.0-3.el10.x86_64"}) {
    CAPTURE(pattern);
    CHECK(pattern_fits(pattern, one));
  }
  for (const char* pattern : {"a", "b", "a-b.i686", "a-b-2.0", "[", ""}) {
    CAPTURE(pattern);
    CHECK_FALSE(pattern_fits(pattern, one));
  }
}

TEST_CASE("a version lock keeps all other versions of its package", "[updates]") {
  auto config = config_with(1);
  config.locks = parse_version_locks("bash-0:1-1.*\n!zsh-0:3-1.*\nunrelated-0:1-1.*\n");
  UpdateFinder finder(config,
                      {package("bash", "1"), package("zsh", "1"), package("bash-doc", "1")});
  for (const char* name : {"bash", "bash-doc", "zsh"}) finder.take(0, package(name, "2"));
  finder.take(0, package("zsh", "3"));

  const auto found = finder.find();

  REQUIRE(found.updates.size() == 2);
  CHECK((found.updates[0].name == "bash-doc" && found.updates[1].candidate_version == "2-1"));
  REQUIRE(found.withheld.size() == 2);
  CHECK((found.withheld[0].name == "bash" && found.withheld[0].reason == "versionlock"));
  CHECK((found.withheld[1].name == "zsh" && found.withheld[1].candidate_version == "3-1"));
}

TEST_CASE("architectures have updates of their own, and noarch of all", "[updates]") {
  const auto config = config_with(1);
  UpdateFinder finder(
      config, {package("libx", "1"), package("libx", "2", "i686"), package("doc", "1", "noarch")});
  for (const char* arch : {"x86_64", "i686", "aarch64"}) finder.take(0, package("libx", "2", arch));
  finder.take(0, package("doc", "2"));

  const auto found = finder.find();

  REQUIRE(found.updates.size() == 2);
  CHECK((found.updates[0].name == "doc" && found.updates[0].arch == "x86_64"));
  CHECK((found.updates[1].name == "libx" && found.updates[1].arch == "x86_64"));
}

TEST_CASE("zypper changes no vendor by itself, and heeds its locks", "[updates]") {
  auto config = config_with(2);
  config.manager = Manager::zypper;
  config.zypper_locks = {"vim*"};
  UpdateFinder finder(config, {package("a", "1", "x86_64", "SUSE"), package("vim-data", "1")});
  finder.take(0, package("a", "2", "x86_64", "SUSE"));
  finder.take(1, package("a", "3", "x86_64", "other"));
  finder.take(0, package("vim-data", "2"));

  const auto found = finder.find();

  REQUIRE(found.updates.size() == 1);
  CHECK(found.updates[0].candidate_version == "2-1");
  REQUIRE(found.withheld.size() == 2);
  CHECK((found.withheld[0].reason == "vendor" && found.withheld[1].reason == "lock"));
}

TEST_CASE("packages of modules are passed over, and that is told", "[updates]") {
  const auto config = config_with(1);
  UpdateFinder finder(config, {package("perl", "1")});
  CHECK_FALSE(finder.has_modules());

  finder.take(0, {"perl", "x86_64", "0", "2", "1.module+el9+1", ""});

  CHECK(finder.has_modules());
  CHECK(finder.find().updates.empty());
}

TEST_CASE("only an advisory above what is installed makes a security update", "[updates]") {
  const auto config = config_with(1);
  UpdateFinder finder(config, {package("a", "2")});
  finder.take(0, package("a", "4"));
  finder.take({"OLD", "security", "Critical", {package("a", "2")}});
  finder.take({"FUTURE", "security", "Critical", {package("a", "5")}});
  finder.take({"BUG", "bugfix", "", {package("a", "3")}});
  CHECK_FALSE(finder.find().updates[0].is_security);

  finder.take({"NOW", "security", "", {package("a", "3")}});

  const auto update = finder.find().updates.at(0);
  CHECK((update.is_security && update.advisories == "NOW" && update.severity.empty()));
}
