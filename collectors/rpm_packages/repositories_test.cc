// SPDX-License-Identifier: Apache-2.0
#include "collectors/rpm_packages/repositories.h"

#include <catch2/catch.hpp>

#include "collectors/rpm_packages/ini_file.h"
#include "collectors/sdk/testing.h"

using namespace vouch;
using namespace vouch::rpm_packages;

TEST_CASE("sections, comments and values that go on are read", "[dnf]") {
  const auto file = parse_ini(
      "# c\n[main]\n a = 1\nexclude=x, y\n  z\n\t; no\n[r]\nbaseurl = http://a/#b\n"
      "[main]\nb=2\nb = 3\n");

  CHECK(file.faults.empty());
  REQUIRE(file.sections.size() == 2);
  CHECK(*file.find("main")->find("a") == "1");
  CHECK(ini_list(*file.find("main")->find("exclude")) == std::vector<std::string>{"x", "y", "z"});
  CHECK(*file.find("main")->find("b") == "3");
  CHECK(*file.find("r")->find("baseurl") == "http://a/#b");
  CHECK(file.find("r")->find("a") == nullptr);
}

TEST_CASE("lines that are none of the format are told", "[dnf]") {
  const auto text = GENERATE(as<std::string>{}, "a=1\n", "[x\n", "[]\n", "[x]\nword\n", "[x]\n=1\n",
                             std::string("[x]\n\0\n", 6));
  CAPTURE(text);

  CHECK(parse_ini(text).faults.size() == 1);
}

TEST_CASE("booleans are read as dnf reads them", "[dnf]") {
  for (const char* word : {"1", "Yes", "TRUE", "on"}) CHECK(ini_boolean(word) == true);
  for (const char* word : {"0", "no", "False", "off"}) CHECK(ini_boolean(word) == false);
  CHECK_FALSE(ini_boolean("2"));
  CHECK_FALSE(ini_boolean(""));
}

TEST_CASE("a repository has what it says, else what main says", "[dnf]") {
  const auto list = parse_repositories(
      "[main]\nx=1\n[a]\nname=A b\nmetalink=https://m/?x=1\nbaseurl=\n  http://one/ http://two/\n"
      "gpgkey=file:///k1,\n file:///k2\npriority=abc\n"
      "[b]\nenabled=0\ngpgcheck=no\nrepo_gpgcheck=1\nsslverify=False\npriority=5\nexclude=a*\n",
      "/r", {{"gpgcheck", "1"}, {"enabled", "0"}});

  REQUIRE(list.size() == 2);
  CHECK((list[0].enabled && list[0].gpgcheck && list[0].sslverify && !list[0].repo_gpgcheck));
  CHECK(list[0].address == "http://one/");
  CHECK(list[0].keys == "file:///k1 file:///k2");
  CHECK(list[0].priority == 99);
  CHECK_FALSE((list[1].enabled || list[1].gpgcheck || list[1].sslverify));
  CHECK(list[1].repo_gpgcheck);
  CHECK(list[1].priority == 5);
  CHECK(list[1].excludes == std::vector<std::string>{"a*"});
}

TEST_CASE("locks of both managers are read", "[dnf]") {
  const auto locks = parse_version_locks("# Added\nbash-0:5.2-1.*\n\n!evil-*\n");
  REQUIRE(locks.size() == 2);
  CHECK(locks[0].pattern == "bash-0:5.2-1.*");
  CHECK((locks[1].is_excluded && locks[1].pattern == "evil-*"));
  CHECK(parse_zypper_locks("\ntype: package\nmatch_type: glob\nsolvable_name: vim*\n\n") ==
        std::vector<std::string>{"vim*"});
}

TEST_CASE("drop-ins, overrides and what cannot be read are heeded", "[dnf]") {
  sdk::TestTree tree;
  tree.file("/usr/share/dnf5/libdnf.conf.d/20-a.conf", "[main]\ngpgcheck=1\nbest=0\n")
      .file("/etc/dnf/dnf.conf", "[main]\nbest=1\n")
      .file("/etc/yum.repos.d/b.repo", "[one]\nbaseurl=http://x/\n[two]\nbaseurl=http://y/\n")
      .file("/etc/yum.repos.d/none.txt", "[three]\n")
      .file("/etc/dnf/repos.override.d/9.repo", "[t*]\nenabled=0\n")
      .file("/etc/dnf/versionlock.toml", "version = \"1.0\"\n[[packages]]\nname = \"a\"\n")
      .fifo("/etc/yum.repos.d/c.repo");

  const auto config = read_manager_config(Root::open(tree.path()).value());

  REQUIRE(config);
  CHECK(config->main.at("best") == "1");
  REQUIRE(config->repositories.size() == 2);
  CHECK((config->repositories[0].enabled && config->repositories[0].gpgcheck));
  CHECK_FALSE(config->repositories[1].enabled);
  REQUIRE(config->gaps.size() == 2);
  CHECK(config->gaps[0].first == "/etc/yum.repos.d/c.repo");
  CHECK(config->gaps[1].first == "/etc/dnf/versionlock.toml");
}

TEST_CASE("a host of another family has none of this", "[dnf]") {
  sdk::TestTree tree;
  tree.file("/etc/apt/sources.list", "");

  CHECK(read_manager_config(Root::open(tree.path()).value()).error().code == Errc::not_found);
}
