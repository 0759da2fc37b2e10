// SPDX-License-Identifier: Apache-2.0
// The collector over trees with traps, as a runner would see it.
#include "collectors/access_review/access_review.h"

#include <utmpx.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "collectors/sdk/testing.h"

using namespace vouch;
using namespace vouch::access;
using sdk::run_collector;
using sdk::TestTree;

namespace {

const std::string kKey =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFHfY5BsrY/SIsRlZNMphCPUUtxRwAH/GCirUQED76DD";

// A host on which nothing is wrong.
void make_host(TestTree& tree) {
  tree.file("/etc/passwd",
            "root:x:0:0:root:/root:/bin/bash\n"
            "daemon:x:1:1::/usr/sbin:/usr/sbin/nologin\n"
            "ann:x:1000:1000:Ann Lee,,,:/home/ann:/bin/bash\n"
            "nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n");
  tree.file("/etc/group", "root:x:0:\ndaemon:x:1:\nsudo:x:27:ann\nann:x:1000:\n");
  tree.file("/etc/shadow",
            "root:*:19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\n"
            "ann:$y$j9T$plantedsalt$plantedhash:19000:0:90:7:30::\nnobody:*:19000:0:99999:7:::\n");
  tree.file("/etc/sudoers", "root ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\n", 0440);
  tree.file("/etc/login.defs", "UID_MIN 1000\n");
  tree.directory("/run/systemd/sessions")
      .directory("/root", 0700)
      .directory("/usr/sbin")
      .directory("/home/ann", 0750);
  tree.file("/home/ann/.ssh/authorized_keys", kKey + " ann\n", 0600);
  tree.file("/var/log/wtmp", "").file("/var/log/btmp", "");
  tree.file("/etc/pam.d/login", "auth required pam_unix.so\n");
}

sdk::TestAnswer collect(const TestTree& tree, std::vector<std::string> tables = {}) {
  auto answer = run_collector(make_access_review(), tree.path(), {.tables = std::move(tables)});
  CHECK(answer.violation == "");
  return answer;
}

}  // namespace

TEST_CASE("a sound host answers every table without gaps or errors", "[access]") {
  TestTree tree;
  make_host(tree);

  const auto answer = collect(tree);

  CHECK(answer.errors.empty());
  CHECK(answer.tables.at("gaps").empty());
  CHECK(answer.cell("users", "username", "ann", "can_login") == "true");
  CHECK(answer.cell("users", "username", "ann", "service") == "false");
  CHECK(answer.cell("users", "username", "root", "can_login") == "false");
  CHECK(answer.cell("users", "username", "daemon", "service") == "true");
  CHECK(answer.cell("users", "username", "nobody", "service") == "true");
  CHECK(answer.cell("user_groups", "groupname", "sudo", "username") == "ann");
  CHECK(answer.cell("user_groups", "uid", "65534", "groupname") == "");
  CHECK(answer.cell("shadow", "username", "ann", "hash_alg") == "yescrypt");
  CHECK(answer.cell("shadow", "username", "ann", "last_change") == "2022-01-08T00:00:00Z");
  CHECK(answer.cell("shadow", "username", "ann", "expire") == "null");
  CHECK(answer.cell("sudo_rules", "user", "%sudo", "run_as") == "ALL:ALL");
  CHECK(answer.cell("sudo_files", "path", "/etc/sudoers", "mode") == "0440");
  CHECK(answer.cell("authorized_keys", "username", "ann", "comment") == "ann");
  CHECK(answer.cell("last_logins", "username", "ann", "last_login") == "null");
  CHECK(answer.cell("login_defs", "name", "UID_MIN", "value") == "1000");
  CHECK(answer.cell("user_homes", "username", "ann", "mode") == "0750");
  CHECK(answer.cell("user_homes", "username", "nobody", "exists") == "false");
}

TEST_CASE("no secret that the files hold leaves the collector", "[access]") {
  TestTree tree;
  make_host(tree);
  tree.file("/etc/passwd",
            "old:$6$plantedsalt$plantedhash:0:0:::/bin/sh\n"
            "-----BEGIN RSA PRIVATE KEY----- planted\n");
  tree.file("/etc/shadow",
            "ann:$6$plantedsalt$plantedhash:bad:0:90:7:30::\n"
            "$6$plantedsalt$plantedhash:x:1:0:90:7:30::\n");
  tree.file("/etc/sudoers",
            "ann ALL=/usr/bin/mysql --password=planted -u x, /bin/db PGPASSWORD=planted\n"
            "bob ALL=/bin/curl https\\://u\\:planted@h/?token\\=planted\n"
            "eve planted\n");
  tree.file(
      "/home/old/.ssh/authorized_keys",
      "command=\"/bin/x --token planted\",environment=\"SECRET=planted\" " + kKey + "\nplanted\n");
  tree.file("/home/old/.ssh/authorized_keys2", "AKIAIOSFODNN7EXAMPLE planted\n");
  tree.file("/etc/passwd", "old:$6$plantedsalt$plantedhash:0:0::/home/old:/bin/sh\n");

  const auto answer = collect(tree);

  CHECK(answer.errors.empty());
  CAPTURE(answer.raw);
  CHECK(answer.raw.find("planted") == std::string::npos);
  CHECK(answer.tables.at("authorized_keys").size() == 1);
}

TEST_CASE("files that are not there or no files are errors of their tables only", "[access]") {
  TestTree tree;
  make_host(tree);
  tree.remove("/etc/shadow").fifo("/etc/shadow");
  tree.remove("/etc/sudoers").symlink("/etc/sudoers", "sudoers");
  tree.remove("/var/log/wtmp").remove("/etc/login.defs");

  const auto answer = collect(tree);

  CHECK_THAT(answer.errors.at("shadow"), Catch::StartsWith("parse-error"));
  CHECK(answer.errors.contains("sudo_rules"));
  CHECK(answer.errors.contains("sudo_defaults"));
  CHECK(answer.errors.contains("sudo_files"));
  CHECK_THAT(answer.errors.at("last_logins"), Catch::StartsWith("not-found"));
  CHECK_THAT(answer.errors.at("login_defs"), Catch::StartsWith("not-found"));
  CHECK(answer.has_gap("users", "/etc/shadow"));
  CHECK(answer.cell("users", "username", "root", "can_login") == "true");
  CHECK(answer.cell("users", "username", "daemon", "can_login") == "false");
  CHECK(answer.tables.at("groups").size() == 4);
}

TEST_CASE("an image without accounts answers with errors, not with nobody", "[access]") {
  TestTree tree;

  const auto answer = collect(tree);

  for (const std::string table : {"users", "groups", "user_groups", "shadow", "authorized_keys",
                                  "last_logins", "login_defs", "user_homes"}) {
    CAPTURE(table);
    CHECK(answer.errors.contains(table));
  }
  CHECK(answer.tables.at("sudo_rules").empty());
}

TEST_CASE("repeated, broken and strange accounts are facts", "[access]") {
  TestTree tree;
  make_host(tree);
  tree.file("/etc/passwd",
            "root:x:0:0:root:/root:/bin/bash\n"
            "root:x:0:0:again:/root:/bin/sh\n"
            "toor\xFF:x:0:0::/root:/bin/sh\n"
            "broken\n"
            "+@netgroup::::::\n"
            "ann::1000:1000::/home/ann:\n"
            "ann:x:1001:4242::relative/../home:/bin/bash\n");

  const auto answer = collect(tree);

  CHECK(answer.tables.at("users").size() == 5);
  CHECK(answer.cell("users", "username", "toor\\xff", "uid") == "0");
  CHECK(answer.cell("users", "occurrence", "2", "description") == "again");
  CHECK(answer.cell("users", "uid", "1000", "can_login") == "true");
  CHECK(answer.has_gap("users", "/etc/passwd:4"));
  CHECK(answer.has_gap("users", "/etc/passwd:5"));
  CHECK(answer.cell("user_groups", "gid", "4242", "groupname") == "");
  CHECK(answer.errors.empty());
}

TEST_CASE("an account is closed by its shell, its expiry, or by having no way in", "[access]") {
  TestTree tree;
  make_host(tree);
  tree.file("/etc/passwd",
            "active:x:1001:1001::/home/a:/bin/sh\n"
            "expired:x:1002:1002::/home/ann:/bin/sh\n"
            "locked:x:1003:1003::/home/l:/bin/sh\n"
            "keyonly:x:1004:1004::/home/ann:/bin/sh\n"
            "noshell:x:1005:1005::/home/ann:/usr/sbin/nologin\n"
            "empty:x:1006:1006::/home/e:/bin/sh\n"
            "unlisted:x:1007:1007::/home/u:/bin/sh\n");
  tree.file("/etc/shadow",
            "active:$6$s$h:19000:0:90:7:::\nexpired:$6$s$h:19000:0:90:7::1:\n"
            "locked:!$6$s$h:19000:0:90:7:::\nkeyonly:!:19000:0:90:7::2900000:\n"
            "noshell:$6$s$h:19000:0:90:7:::\nempty::19000:0:90:7:::\n");

  const auto answer = collect(tree);

  const auto can_login = [&](std::string_view name) {
    return answer.cell("users", "username", name, "can_login");
  };
  CHECK(can_login("active") == "true");
  CHECK(can_login("expired") == "false");
  CHECK(can_login("locked") == "false");
  CHECK(can_login("keyonly") == "true");
  CHECK(can_login("noshell") == "false");
  CHECK(can_login("empty") == "true");
  CHECK(can_login("unlisted") == "false");
}

TEST_CASE("keys are read where sshd looks, and traps are gaps", "[access]") {
  TestTree tree;
  make_host(tree);
  tree.file("/etc/ssh/sshd_config",
            "Match User ann\nAuthorizedKeysFile /etc/keys/%u none\nMatch all\n"
            "AuthorizedKeysFile .ssh/authorized_keys .ssh/pipe .ssh/loop .ssh/out\n"
            "AuthorizedKeysCommand /usr/bin/sss_ssh_authorizedkeys\n");
  tree.file("/etc/keys/ann", "cert-authority " + kKey + " ca\nnonsense\n");
  tree.fifo("/root/.ssh/pipe").symlink("/root/.ssh/loop", "loop");
  tree.symlink("/root/.ssh/out", "../../../../../../../../etc/passwd");

  const auto answer = collect(tree, {"authorized_keys"});

  CHECK(answer.cell("authorized_keys", "key_file", "/etc/keys/ann", "certificate_authority") ==
        "true");
  // Not those of her home: sshd does not look there for her.
  CHECK(answer.tables.at("authorized_keys").size() == 1);
  CHECK(answer.has_gap("authorized_keys", "/etc/keys/ann:2"));
  CHECK(answer.has_gap("authorized_keys", "/root/.ssh/pipe"));
  CHECK(answer.has_gap("authorized_keys", "/root/.ssh/loop"));
  // The link is resolved inside the tree, where /etc/passwd has no keys.
  CHECK(answer.has_gap("authorized_keys", "/root/.ssh/out:1"));
  CHECK(answer.has_gap("authorized_keys", "/usr/bin/sss_ssh_authorizedkeys"));
}

TEST_CASE("the newest login of all records counts", "[access]") {
  TestTree tree;
  make_host(tree);
  struct utmpx entry = {};
  entry.ut_type = USER_PROCESS;
  std::memcpy(entry.ut_user, "ann", 3);
  entry.ut_tv.tv_sec = 1700000000;
  std::string record(sizeof entry, '\0');
  std::memcpy(record.data(), &entry, sizeof entry);
  tree.file("/var/log/wtmp.1", record).file("/var/log/wtmp", "torn");

  const auto answer = collect(tree, {"last_logins"});

  CHECK(answer.cell("last_logins", "username", "ann", "last_login") == "2023-11-14T22:13:20Z");
  CHECK(answer.cell("last_logins", "username", "root", "source") == "wtmp");
  CHECK(answer.has_gap("last_logins", "/var/log/wtmp"));
}

TEST_CASE("directory services whose rules are not examined are said", "[access]") {
  TestTree tree;
  make_host(tree);
  tree.file("/etc/nsswitch.conf", "passwd: files sss\nsudoers: files sss\n");
  tree.remove("/etc/sudoers").file("/etc/sudoers", "ann ALL=ALL\nbroken line\n");

  const auto answer = collect(tree, {"sudo_rules", "sudo_files"});

  CHECK(answer.has_gap("sudo_rules", "/etc/nsswitch.conf:sudoers"));
  CHECK(answer.has_gap("sudo_rules", "/etc/sudoers:2"));
  CHECK(answer.cell("sudo_files", "path", "/etc/sudoers", "valid") == "false");
}
