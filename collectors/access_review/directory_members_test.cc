// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/directory_members.h"

#include <catch2/catch.hpp>
#include <map>

#include "collectors/sdk/testing.h"

using namespace vouch;
using namespace vouch::access;

namespace {

// A directory in memory that answers by name and lists nothing.
class FakeDirectory final : public NameService {
 public:
  std::map<std::string, std::string> lines;  // "group sudo" → its line.
  bool is_down = false;
  std::vector<std::string> asked;

  Result<std::string> list(const std::string& /*database*/) override { return std::string(); }
  Result<std::string> find(const std::string& database,
                           const std::vector<std::string>& names) override {
    if (is_down) return Error{Errc::timeout, "no answer"};
    std::string out;
    for (const std::string& name : names) {
      asked.push_back(database + " " + name);
      const auto line = lines.find(database + " " + name);
      if (line != lines.end()) out += line->second + "\n";
    }
    return out;
  }
};

const std::vector<PasswdEntry> kLocal = parse_passwd("ann:x:1000:1000::/h:/bin/sh\n").entries;
const std::vector<GroupEntry> kLocalGroups = parse_group("sudo:x:27:ann\n").entries;

}  // namespace

TEST_CASE("groups that sudo and sshd name are asked for, with the usual ones", "[directory]") {
  sdk::TestTree tree;
  tree.file("/etc/sudoers",
            "User_Alias OPS = %linux-admins, !%no-admins\nOPS ALL = ALL\n%#4711 ALL = ALL\n"
            "%:nonunix ALL = ALL\nann ALL = ALL\n%admin ALL = ALL\n",
            0440);
  tree.file("/etc/ssh/sshd_config", "AllowGroups ssh-users ops-* linux-admins\n");
  const auto root = Root::open(tree.path());
  REQUIRE(root);

  const auto groups = groups_that_grant(*root, {"dba"});

  CHECK(groups.named == std::vector<std::string>{"linux-admins", "no-admins", "ssh-users", "dba"});
  CHECK(std::find(groups.usual.begin(), groups.usual.end(), "docker") != groups.usual.end());
}

TEST_CASE("members of a directory's groups become accounts, unknown ones gaps", "[directory]") {
  FakeDirectory directory;
  directory.lines["group linux-admins"] = "linux-admins:*:70001:dora,ann,ghost";
  directory.lines["group sudo"] = "sudo:x:27:ann,emil";
  directory.lines["passwd dora"] = "dora:*:70010:70001:Dora:/home/dora:/bin/bash";
  directory.lines["passwd emil"] = "emil:*:70011:70001:Emil:/home/emil:/bin/bash";

  const auto found = find_directory_members({{"linux-admins", "gone"}, {"sudo", "wheel"}}, kLocal,
                                            kLocalGroups, directory);

  REQUIRE(found.accounts.size() == 2);
  CHECK(found.accounts[0].name == "dora");
  CHECK(found.accounts[1].name == "emil");
  CHECK(found.groups.size() == 2);
  REQUIRE(found.gaps.size() == 2);
  CHECK(found.gaps[0].first == "%gone");
  CHECK(found.gaps[1].first == "%linux-admins/ghost");
  // Who is in a file is not asked for.
  CHECK(std::find(directory.asked.begin(), directory.asked.end(), "passwd ann") ==
        directory.asked.end());
}

TEST_CASE("a directory that is down is a gap and not an empty group", "[directory]") {
  FakeDirectory directory;
  directory.is_down = true;

  const auto found =
      find_directory_members({{"linux-admins"}, {}}, kLocal, kLocalGroups, directory);

  REQUIRE(found.gaps.size() == 1);
  CHECK(found.gaps[0].second.code == Errc::timeout);
}

TEST_CASE("getent answers by name, and takes no name for an option or a number", "[directory]") {
  Getent getent(std::chrono::seconds(10));

  const auto found = getent.find("passwd", {"root", "--version", "no-such-user-4711", "0", ""});

  REQUIRE(found);
  const auto accounts = parse_passwd(*found).entries;
  REQUIRE(accounts.size() == 1);
  CHECK(accounts[0].name == "root");
}
