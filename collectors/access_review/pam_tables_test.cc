// SPDX-License-Identifier: Apache-2.0
// The tables pam_rules and pam_settings over trees.
#include <catch2/catch.hpp>

#include "collectors/access_review/access_review.h"
#include "collectors/access_review/pam_settings.h"
#include "collectors/sdk/testing.h"

using namespace vouch;
using namespace vouch::access;
using sdk::run_collector;
using sdk::TestTree;

namespace {

void make_host(TestTree& tree) {
  for (const char* module : {"pam_unix.so", "pam_deny.so", "pam_permit.so", "pam_pwquality.so"}) {
    tree.file(std::string("/usr/lib/x86_64-linux-gnu/security/") + module, "");
  }
  tree.file("/etc/pam.d/common-auth",
            "auth [success=1 default=ignore] pam_unix.so nullok\n"
            "auth requisite pam_deny.so\nauth required pam_permit.so\n");
  tree.file("/etc/pam.d/sshd", "@include common-auth\naccount required pam_nologin.so\n");
  tree.file("/etc/pam.d/passwd",
            "password requisite pam_pwquality.so retry=3 minlen=16\n"
            "password required pam_unix.so yescrypt use_authtok\n");
  tree.file("/etc/security/pwquality.conf", "minlen = 8 # short\nenforce_for_root\ndifok=2\n");
  tree.file("/etc/security/pwquality.conf.d/50-site.conf", "minlen=10\ndictcheck = 1\ndifok=4\n");
}

sdk::TestAnswer collect(const TestTree& tree, const sdk::TestRequest& request = {
                                                  .tables = {"pam_rules", "pam_settings"}}) {
  auto answer = run_collector(make_access_review(), tree.path(), request);
  CHECK(answer.violation == "");
  return answer;
}

}  // namespace

TEST_CASE("stacks of files and directories are rows with their origin", "[pam]") {
  TestTree tree;
  make_host(tree);
  tree.file("/usr/lib/pam.d/sshd", "auth required pam_permit.so\n");
  tree.file("/usr/lib/pam.d/polkit-1", "auth include sshd\n");
  tree.file("/etc/pam.d/su.dpkg-old", "auth sufficient pam_permit.so\n");

  const auto answer = collect(tree);

  CHECK(answer.errors.empty());
  CHECK(answer.tables.at("gaps").empty());
  CHECK(answer.cell("pam_rules", "arguments", "nullok", "service") == "several");
  CHECK(answer.cell("pam_rules", "module", "pam_nologin.so", "installed") == "false");
  CHECK(answer.cell("pam_rules", "module", "pam_nologin.so", "source") == "/etc/pam.d/sshd");
  CHECK(answer.cell("pam_rules", "arguments", "retry=3 minlen=16", "mandatory") == "true");
  // Three services have these three lines: common-auth itself, sshd and polkit-1.
  int unix_rules = 0;
  for (const auto& row : answer.tables.at("pam_rules")) {
    const std::string* control = row.find("control")->if_string();
    if (control != nullptr && *control == "[success=1 default=ignore]") ++unix_rules;
  }
  CHECK(unix_rules == 3);
}

TEST_CASE("a setting is the argument, else the last of the files", "[pam]") {
  TestTree tree;
  make_host(tree);

  const auto answer = collect(tree);

  CHECK(answer.cell("pam_settings", "name", "minlen", "value") == "16");
  CHECK(answer.cell("pam_settings", "name", "minlen", "source") == "/etc/pam.d/passwd");
  CHECK(answer.cell("pam_settings", "name", "enforce_for_root", "value") == "");
  CHECK(answer.cell("pam_settings", "name", "dictcheck", "source") ==
        "/etc/security/pwquality.conf.d/50-site.conf");
  // As libpwquality: its directory is read before the file, whatever the names say.
  CHECK(answer.cell("pam_settings", "name", "difok", "value") == "2");
  CHECK(answer.cell("pam_settings", "name", "yescrypt", "module") == "pam_unix.so");
}

TEST_CASE("without directories pam.conf counts, beside them it does not", "[pam]") {
  TestTree tree;
  tree.file("/etc/pam.conf", "login auth required pam_unix.so\nother auth required pam_deny.so\n");

  const auto answer = collect(tree);
  make_host(tree);
  const auto with_directory = collect(tree);

  CHECK(answer.tables.at("pam_rules").size() == 2);
  CHECK(answer.cell("pam_rules", "service", "login", "source") == "/etc/pam.conf");
  CHECK(answer.cell("pam_rules", "service", "login", "installed") == "true");
  CHECK(with_directory.cell("pam_rules", "service", "login", "source") == "");
}

TEST_CASE("what is missing, broken or no file is a gap; no PAM at all is an error", "[pam]") {
  TestTree tree;
  make_host(tree);
  tree.file("/etc/pam.d/broken", "auth whatever pam_unix.so planted\nauth include gone\n");
  tree.fifo("/etc/pam.d/pipe").symlink("/etc/pam.d/loop", "loop").directory("/etc/pam.d/folder");
  tree.symlink("/etc/pam.d/out", "/../../../../../../etc/passwd");
  tree.remove("/etc/security/pwquality.conf").fifo("/etc/security/pwquality.conf");

  const auto answer = collect(tree);

  CHECK(answer.has_gap("pam_rules", "/etc/pam.d/broken:1"));
  CHECK(answer.has_gap("pam_rules", "/etc/pam.d/broken:2"));
  CHECK(answer.has_gap("pam_rules", "pipe"));
  CHECK(answer.has_gap("pam_rules", "loop"));
  CHECK(answer.has_gap("pam_rules", "folder"));
  CHECK(answer.has_gap("pam_rules", "out"));
  CHECK(answer.has_gap("pam_settings", "/etc/security/pwquality.conf"));
  CHECK(answer.raw.find("planted") == std::string::npos);
  TestTree empty;
  CHECK_THAT(collect(empty).errors.at("pam_rules"), Catch::StartsWith("not-found"));
}

TEST_CASE("unchanged files are not read again, a changed include is", "[pam]") {
  TestTree tree;
  make_host(tree);
  const auto first = collect(tree);
  const sdk::TestRequest again{.tables = {"pam_rules", "pam_settings"}, .tokens = first.tokens};

  CHECK(collect(tree, again).unchanged.size() == 2);
  tree.file("/etc/pam.d/common-auth", "auth required pam_unix.so\n");
  CHECK(collect(tree, again).unchanged.empty());
}

TEST_CASE("secrets of arguments do not leave, harmless names stay", "[pam]") {
  CHECK(shown_pam_arguments("pam_unix.so", {"use_authtok", "try_first_pass", "authtok_type=x"}) ==
        "use_authtok try_first_pass authtok_type=x");
  CHECK(shown_pam_arguments("pam_mysql.so", {"user=a", "passwd=planted", "host=h"}) ==
        "user=a passwd=[redacted] host=h");
  CHECK(shown_pam_arguments("pam_ldap.so", {"bindpw=planted"}) == "bindpw=[redacted]");
  CHECK(shown_pam_arguments("pam_url.so", {"url=https://u:planted@h/x"}) ==
        "url=https://[redacted]@h/x");
  CHECK(shown_pam_arguments("pam_exec.so", {"quiet", "/bin/x", "--token", "planted", "--a=b"}) ==
        "quiet /bin/x --token [redacted] --a=b");
  CHECK(shown_pam_arguments("pam_google_authenticator.so", {"secret=/var/lib/ga/${USER}"}) ==
        "secret=/var/lib/ga/${USER}");
  CHECK(shown_pam_arguments("pam_u2f.so", {"authfile=/etc/u2f_mappings", "a b"}) ==
        "authfile=/etc/u2f_mappings [a b]");
  CHECK(shown_pam_value("pam_unix.so", "password", "planted") == "[redacted]");
  CHECK(shown_pam_value("pam_pwquality.so", "minlen", "14") == "14");
}
