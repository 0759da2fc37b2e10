// SPDX-License-Identifier: Apache-2.0
// Prepared hosts with traps in them: each has an answer, none hangs or leads outside.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "collectors/access_review/access_review.h"
#include "collectors/sdk/testing.h"

using namespace vouch;
using namespace vouch::access;
using sdk::run_collector;
using sdk::TestTree;

namespace {

const std::string kKey =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFHfY5BsrY/SIsRlZNMphCPUUtxRwAH/GCirUQED76DD";

sdk::TestAnswer collect(const TestTree& tree, const sdk::TestRequest& request = {}) {
  auto answer = run_collector(make_access_review(), tree.path(), request);
  CHECK(answer.violation == "");
  return answer;
}

}  // namespace

TEST_CASE("a second superuser late in passwd is a row", "[traps]") {
  TestTree tree;
  std::string text = "root:x:0:0::/root:/bin/sh\n";
  for (int i = 0; i < 5000; ++i) text += fmt::format("u{}:x:{}:100::/:/bin/false\n", i, 2000 + i);
  tree.file("/etc/passwd", text + "toor:x:0:0::/:/bin/sh\n").file("/etc/group", "");
  tree.file("/etc/nsswitch.conf", "passwd: files systemd\n");

  const auto answer = collect(tree, {.tables = {"users"}});

  CHECK(answer.cell("users", "username", "toor", "uid") == "0");
}

TEST_CASE("the password field of passwd is told, never its content", "[traps]") {
  TestTree tree;
  tree.file("/etc/passwd",
            "root:x:0:0::/root:/bin/sh\na:$6$planted$planted:1:1::/:/bin/sh\n"
            "b::2:2::/:/bin/sh\nc:*:3:3::/:/bin/sh\n");

  const auto answer = collect(tree, {.tables = {"users"}});

  CHECK(answer.cell("users", "username", "root", "password_field") == "shadow");
  CHECK(answer.cell("users", "username", "a", "password_field") == "active");
  CHECK(answer.cell("users", "username", "b", "password_field") == "empty");
  CHECK(answer.cell("users", "username", "c", "password_field") == "locked");
  CHECK(answer.raw.find("planted") == std::string::npos);
}

TEST_CASE("a site says which accounts belong to services and to people", "[traps]") {
  TestTree tree;
  tree.file("/etc/passwd",
            "root:x:0:0::/root:/bin/sh\nsvc-web:x:2000:1::/:/bin/sh\nann:x:500:1::/:/bin/sh\n"
            "daemon:x:1:1::/:/bin/sh\n");
  json::Object options;
  options.emplace("service_accounts", json::Array{json::Value("svc-*")});
  options.emplace("human_accounts", json::Array{json::Value("ann")});

  const auto answer = collect(tree, {.tables = {"users"}, .options = options});

  CHECK(answer.cell("users", "username", "svc-web", "service") == "true");
  CHECK(answer.cell("users", "username", "ann", "service") == "false");
  CHECK(answer.cell("users", "username", "daemon", "service") == "true");
}

TEST_CASE("NOPASSWD through aliases and an include is on the rule", "[traps]") {
  TestTree tree;
  tree.file("/etc/sudoers",
            "User_Alias OPS = ann, %admins\nCmnd_Alias SHELLS = /bin/sh, /bin/bash\n"
            "@includedir /etc/sudoers.d\n",
            0440);
  tree.file("/etc/sudoers.d/ops", "OPS ALL = (root) NOPASSWD: SHELLS\n", 0440);
  tree.file("/etc/sudoers.d/skipped.bak", "eve ALL = NOPASSWD: ALL\n", 0440);

  const auto answer = collect(tree, {.tables = {"sudo_rules"}});

  REQUIRE(answer.tables.at("sudo_rules").size() == 4);
  for (const auto& row : answer.tables.at("sudo_rules")) {
    CHECK(*row.find("nopasswd")->if_bool());
    CHECK(*row.find("source")->if_string() == "/etc/sudoers.d/ops");
  }
}

TEST_CASE("a sudoers file of 50 MB is an error and not a host without sudo", "[traps]") {
  TestTree tree;
  tree.file("/etc/sudoers", "root ALL=(ALL) ALL\n@include /etc/sudoers.big\n", 0440);
  tree.file("/etc/sudoers.big", "");
  // A hole, so that the test is quick.
  REQUIRE(::truncate((tree.path() + "/etc/sudoers.big").c_str(), 50 << 20) == 0);

  const auto answer = collect(tree, {.tables = {"sudo_rules", "sudo_files"}});

  CHECK(answer.has_gap("sudo_rules", "/etc/sudoers.big"));
  CHECK(answer.has_gap("sudo_files", "/etc/sudoers.big"));
}

TEST_CASE("names with spaces, newlines and invalid UTF-8 are rows", "[traps]") {
  TestTree tree;
  tree.file("/etc/passwd", "root:x:0:0::/root:/bin/sh\na b\xFF:x:1:1::/home/a b\xFF:/bin/sh\n");
  tree.file("/home/a b\xFF/.ssh/authorized_keys", kKey + " c\xFF\n", 0600);
  tree.file("/home/a b\xFF/.rhosts", "+ +\n");
  tree.file("/etc/pam.d/new\nline", "auth required pam_permit.so\n");

  const auto answer =
      collect(tree, {.tables = {"users", "authorized_keys", "user_dot_files", "pam_rules"}});

  CHECK(answer.errors.empty());
  CHECK(answer.cell("users", "uid", "1", "username") == "a b\\xff");
  CHECK(answer.cell("authorized_keys", "uid", "1", "comment") == "c\\xff");
  CHECK(answer.cell("user_dot_files", "path", "/home/a b\\xff/.rhosts", "mode") == "0644");
  CHECK(answer.cell("pam_rules", "module", "pam_permit.so", "source") == "/etc/pam.d/new\\x0aline");
}

TEST_CASE("links, pipes and devices in homes are told, not opened", "[traps]") {
  TestTree tree;
  tree.file("/etc/passwd", "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n");
  tree.fifo("/home/ann/.netrc").symlink("/home/ann/.forward", "/../../../etc/shadow");
  tree.symlink("/home/ann/.ssh", ".ssh").symlink("/home/ann/.profile", "/gone");
  tree.file("/home/ann/.aws", "a file where a directory is expected");
  tree.file("/root/.pgpass", "planted", 0640).file("/etc/shadow", "", 0640);

  const auto answer = collect(tree, {.tables = {"user_dot_files", "shell_settings"}});

  CHECK(answer.errors.empty());
  CHECK(answer.cell("user_dot_files", "path", "/home/ann/.netrc", "type") == "fifo");
  CHECK(answer.cell("user_dot_files", "path", "/home/ann/.forward", "type") == "symlink");
  CHECK(answer.cell("user_dot_files", "path", "/home/ann/.forward", "mode") == "0640");
  CHECK(answer.cell("user_dot_files", "path", "/home/ann/.ssh", "type") == "symlink");
  CHECK(answer.has_gap("user_dot_files", "/home/ann/.ssh/authorized_keys"));
  CHECK(answer.cell("user_dot_files", "path", "/home/ann/.profile", "type") == "symlink");
  CHECK(answer.cell("user_dot_files", "path", "/root/.pgpass", "mode") == "0640");
  CHECK(answer.cell("user_dot_files", "path", "/root/.pgpass", "kind") == "credential");
  CHECK(answer.raw.find("planted") == std::string::npos);
}

TEST_CASE("an unreadable home is a gap", "[traps]") {
  if (::geteuid() == 0) {
    WARN("skipped: root reads every home");
    return;
  }
  TestTree tree;
  tree.file("/etc/passwd", "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n");
  tree.file("/home/ann/.ssh/authorized_keys", kKey + "\n");
  REQUIRE(::chmod((tree.path() + "/home/ann").c_str(), 0) == 0);

  const auto answer = collect(tree, {.tables = {"authorized_keys", "user_dot_files"}});
  REQUIRE(::chmod((tree.path() + "/home/ann").c_str(), 0700) == 0);

  CHECK(answer.has_gap("authorized_keys", "/home/ann/.ssh/authorized_keys"));
  CHECK(answer.has_gap("user_dot_files", "/home/ann"));
}

TEST_CASE("a directory of rules that cannot be listed is a gap, not an empty table", "[traps]") {
  if (::geteuid() == 0) {
    WARN("skipped: root lists every directory");
    return;
  }
  TestTree tree;
  tree.file("/etc/polkit-1/rules.d/49-x.rules", "return polkit.Result.YES");
  tree.file("/etc/profile.d/tmout.sh", "TMOUT=5");
  for (const char* directory : {"/etc/polkit-1/rules.d", "/etc/profile.d"}) {
    REQUIRE(::chmod((tree.path() + directory).c_str(), 0) == 0);
  }

  const auto answer = collect(tree, {.tables = {"polkit_rules", "shell_settings"}});
  for (const char* directory : {"/etc/polkit-1/rules.d", "/etc/profile.d"}) {
    REQUIRE(::chmod((tree.path() + directory).c_str(), 0700) == 0);
  }

  CHECK(answer.has_gap("polkit_rules", "/etc/polkit-1/rules.d"));
  CHECK(answer.has_gap("shell_settings", "/etc/profile.d"));
}

TEST_CASE("defaults of useradd and of shells are read where they are", "[traps]") {
  TestTree tree;
  tree.file("/etc/default/useradd", "# INACTIVE=1\nSHELL=/bin/sh\nINACTIVE=30\nINACTIVE=45\n");
  tree.file("/etc/profile", "umask 027\n").fifo("/etc/bash.bashrc");
  tree.file("/etc/profile.d/tmout.sh", "readonly TMOUT=900\n");
  tree.symlink("/etc/profile.d/loop.sh", "loop.sh");

  const auto answer = collect(tree, {.tables = {"useradd_defaults", "shell_settings"}});

  CHECK(answer.cell("useradd_defaults", "name", "INACTIVE", "value") == "45");
  CHECK(answer.cell("shell_settings", "name", "TMOUT", "readonly") == "true");
  CHECK(answer.cell("shell_settings", "name", "umask", "source") == "/etc/profile");
  CHECK(answer.has_gap("shell_settings", "/etc/bash.bashrc"));
  CHECK(answer.has_gap("shell_settings", "/etc/profile.d/loop.sh"));
}
