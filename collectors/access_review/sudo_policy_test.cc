// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/sudo_policy.h"

#include <catch2/catch.hpp>

#include "collectors/sdk/testing.h"

using namespace vouch;
using namespace vouch::access;

namespace {

SudoPolicy policy_of(const sdk::TestTree& tree) {
  auto root = Root::open(tree.path());
  REQUIRE(root);
  auto policy = read_sudo_policy(*root);
  REQUIRE(policy);
  return *std::move(policy);
}

std::string grants_of(const SudoPolicy& policy) {
  const auto grants = expand_grants(policy);
  if (!grants) return grants.error().message;
  std::string out;
  for (const SudoGrant& grant : *grants) {
    out += grant.user + " " + grant.host + " (" + grant.run_as + ") " + (grant.negated ? "!" : "") +
           grant.command + "|";
  }
  return out;
}

std::string gaps_of(const SudoPolicy& policy) {
  std::string out;
  for (const auto& [object, error] : policy.gaps) out += object + "|";
  return out;
}

}  // namespace

TEST_CASE("aliases are expanded, nested and negated ones too", "[sudo-policy]") {
  sdk::TestTree tree;
  tree.file("/etc/sudoers",
            "User_Alias ADMINS = ann, STAFF\nUser_Alias STAFF = bob, !eve\n"
            "Cmnd_Alias SHELLS = /bin/sh, /bin/bash\nHost_Alias WEB = w1, w2\n"
            "Runas_Alias OPS = www, db\nDefaults runas_default=oper\n"
            "ADMINS WEB = (OPS:adm) ALL, !SHELLS\n!STAFF ALL = UNDEFINED\n");

  CHECK(grants_of(policy_of(tree)) ==
        "ann w1,w2 (www,db:adm) ALL|bob w1,w2 (www,db:adm) ALL|!eve w1,w2 (www,db:adm) ALL|"
        "ann w1,w2 (www,db:adm) !/bin/sh|ann w1,w2 (www,db:adm) !/bin/bash|"
        "bob w1,w2 (www,db:adm) !/bin/sh|bob w1,w2 (www,db:adm) !/bin/bash|"
        "!eve w1,w2 (www,db:adm) !/bin/sh|!eve w1,w2 (www,db:adm) !/bin/bash|"
        "!bob ALL (oper) UNDEFINED|eve ALL (oper) UNDEFINED|");
}

TEST_CASE("includes are read as sudo reads them", "[sudo-policy]") {
  sdk::TestTree tree;
  tree.file("/etc/sudoers",
            "root ALL=ALL\n@includedir /etc/sudoers.d\n@include local\n@includedir /etc/none.d\n"
            "#include /etc/by-host-%h\n");
  tree.file("/etc/hostname", "web1.example.com\n").file("/etc/by-host-web1", "host ALL=ALL\n");
  tree.file("/etc/sudoers.d/b", "b ALL=ALL\n").file("/etc/sudoers.d/a", "a ALL=ALL\n");
  tree.file("/etc/sudoers.d/c.dpkg-old", "c ALL=ALL\n").file("/etc/sudoers.d/d~", "d ALL=ALL\n");
  tree.directory("/etc/sudoers.d/sub").fifo("/etc/sudoers.d/pipe");
  tree.file("/etc/local", "local ALL=ALL\n");

  const auto policy = policy_of(tree);

  CHECK(grants_of(policy) ==
        "root ALL (root) ALL|a ALL (root) ALL|b ALL (root) ALL|local ALL (root) ALL|"
        "host ALL (root) ALL|");
  CHECK(gaps_of(policy) == "");
  CHECK(policy.files.size() == 5);
}

TEST_CASE("what cannot be read is a gap: missing, looping, outside, no file", "[sudo-policy]") {
  sdk::TestTree tree;
  tree.file("/etc/sudoers",
            "@include /etc/missing\n@include /etc/sudoers\n@include /etc/loop\n"
            "@include /etc/pipe\n@include /etc/outside\nbroken\na ALL=ALL\n");
  tree.symlink("/etc/loop", "loop").fifo("/etc/pipe");
  tree.symlink("/etc/outside", "../../../../../../../../../../etc/passwd");

  const auto policy = policy_of(tree);

  CHECK(gaps_of(policy) == "/etc/missing|/etc/sudoers|/etc/loop|/etc/pipe|/etc/outside|");
  CHECK(grants_of(policy) == "a ALL (root) ALL|");
  CHECK(policy.files[0].content.faults.size() == 1);
}

TEST_CASE("no sudoers file is an empty policy, an unreadable one an error", "[sudo-policy]") {
  sdk::TestTree tree;
  tree.directory("/etc");
  CHECK(policy_of(tree).files.empty());

  tree.directory("/etc/sudoers");
  const auto root = Root::open(tree.path());
  REQUIRE(root);
  CHECK_FALSE(read_sudo_policy(*root));
}

TEST_CASE("aliases that multiply or circle end in an error, not in memory", "[sudo-policy]") {
  sdk::TestTree tree;
  std::string text = "User_Alias A0 = x, y\n";
  for (int i = 1; i < 40; ++i) {
    const std::string before = "A" + std::to_string(i - 1);
    text += "User_Alias A" + std::to_string(i) + " = " + before + ", " + before + "\n";
  }
  tree.file("/etc/sudoers", text + "A39 ALL=ALL\n");
  CHECK(grants_of(policy_of(tree)) == "more than 100,000 sudo grants");

  tree.file("/etc/sudoers", "User_Alias A = A, A\nA ALL=ALL\n");
  CHECK(grants_of(policy_of(tree)) == "more than 100,000 sudo grants");

  tree.file("/etc/sudoers", "User_Alias A = B\nUser_Alias B = A\nA ALL=ALL\n");
  CHECK(policy_of(tree).files.size() == 1);
}
