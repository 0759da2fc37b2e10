// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/audit_rules.h"

#include <catch2/catch.hpp>

#include "collectors/config_drift/config_drift.h"
#include "collectors/sdk/testing.h"

using namespace vouch;
using namespace vouch::drift;

namespace {

std::string spelled(std::string_view line) {
  const auto rule = parse_audit_rule(line);
  return rule ? rule->rule : "none";
}

}  // namespace

TEST_CASE("what means the same is spelled the same", "[audit]") {
  const std::string watch = "-w /etc/shadow -p wa -k identity";
  CHECK(spelled("-w /etc/shadow -p aw -k identity") == watch);
  CHECK(spelled("-k identity -p wa -w /etc/shadow/") == watch);
  CHECK(spelled("-a always,exit -F path=/etc/shadow -F perm=wa -F key=identity") == watch);
  CHECK(spelled("-a exit,always -S all -F path=/etc/shadow -F perm=wa -k identity") == watch);
  CHECK(spelled("-w /var/run/faillock") == "-w /run/faillock -p rwxa");

  const std::string call =
      "-a always,exit -F arch=b64 -S adjtimex,settimeofday -F auid!=-1 -F auid>=1000 -F key=time";
  CHECK(spelled("-a always,exit -F arch=b64 -S settimeofday,adjtimex -F auid>=1000 "
                "-F auid!=unset -k time") == call);
  CHECK(spelled("-a exit,always -S adjtimex -S settimeofday -F auid!=4294967295 -F arch=b64 "
                "-F auid>=1000 -F key=time") == call);
  CHECK(spelled("-a always,exit -F arch=b64 -S execve -C uid!=euid -F euid=0 -k user_emulation") ==
        "-a always,exit -F arch=b64 -S execve -C uid!=euid -F euid=0 -F key=user_emulation");
}

TEST_CASE("rules are spelled as auditctl -l lists them, once they were loaded", "[audit]") {
  // Left as loaded by auditctl -R, right as auditctl 3.0.9 lists it. The kernel sorts system calls
  // by number, we by name: that is the one difference.
  const auto [loaded, listed] = GENERATE(table<std::string, std::string>({
      {"-w /etc/sudoers.d/ -p wa -k scope", "-w /etc/sudoers.d -p wa -k scope"},
      {"-a always,exit -F arch=b64 -S settimeofday,adjtimex -F auid>=1000 -F auid!=unset -k time",
       "-a always,exit -F arch=b64 -S adjtimex,settimeofday -F auid>=1000 -F auid!=-1 -F key=time"},
      {"-a always,exit -F arch=b32 -S unlink -S rename -F auid>=1000 -F auid!=4294967295 -F "
       "key=del",
       "-a always,exit -F arch=b32 -S unlink,rename -F auid>=1000 -F auid!=-1 -F key=del"},
      {"-a exit,always -F path=/etc/shadow -F perm=aw -k identity",
       "-w /etc/shadow -p wa -k identity"},
      {"-a always,exit -F arch=b64 -S execve -C uid!=euid -F euid=0 -k emulation",
       "-a always,exit -F arch=b64 -S execve -C uid!=euid -F euid=0 -F key=emulation"},
      {"-a always,exit -F dir=/etc/audit -F perm=wa -F key=cfg", "-w /etc/audit -p wa -k cfg"},
      {"-a always,exit -F arch=b64 -S openat -F exe=/usr/bin/x -F a0=3 -F filetype=file -k e",
       "-a always,exit -F arch=b64 -S openat -F exe=/usr/bin/x -F a0=0x3 -F filetype=32768 -F "
       "key=e"},
      {"-a never,exclude -F msgtype=CWD", "-a never,exclude -F msgtype=CWD"},
      {"-a always,exit -F arch=b64 -S openat -F exit=-EACCES -F auid>=1000 -k acc",
       "-a always,exit -F arch=b64 -S openat -F exit=-EACCES -F auid>=1000 -F key=acc"},
  }));
  CAPTURE(loaded);

  CHECK(spelled(loaded) != "none");
  CHECK(spelled(loaded) == spelled(listed));
}

TEST_CASE("a rule's parts are told apart", "[audit]") {
  const auto watch = parse_audit_rule("-w /etc/sudoers.d/ -p wa -k scope");
  const auto call = parse_audit_rule("-a always,exit -F arch=b32 -S unlink -F auid>=1000");
  const auto never = parse_audit_rule("-a never,exit -F path=/x");
  const auto lock = parse_audit_rule("-e  2");

  REQUIRE((watch && call && never && lock));
  CHECK(watch->kind == "watch");
  CHECK(watch->path == "/etc/sudoers.d");
  CHECK(watch->permissions == "wa");
  CHECK(watch->key_name == "scope");
  CHECK(call->kind == "syscall");
  CHECK(call->syscalls == "unlink");
  CHECK_FALSE(call->path.has_value());
  CHECK(never->kind == "syscall");
  CHECK(never->syscalls == "all");
  CHECK(lock->kind == "control");
  CHECK(lock->rule == "-e 2");
  for (const std::string bad : {"-w", "-a always,exit -S", "-x y", "word", "-p wa", ""}) {
    CHECK_FALSE(parse_audit_rule(bad));
  }
}

TEST_CASE("rules on disk are rows, whichever file they are in", "[audit]") {
  sdk::TestTree tree;
  tree.file("/etc/audit/audit.rules",
            "## made by augenrules\n-D\n-b 8192\n\n-w /etc/passwd -p wa\n-e 2\n");
  tree.file("/etc/audit/rules.d/10-x.rules", "-w /etc/passwd -p wa\nbroken\n");
  tree.file("/etc/audit/rules.d/notes", "-w /x -p wa\n").fifo("/etc/audit/rules.d/pipe.rules");

  const auto answer =
      sdk::run_collector(make_config_drift(), tree.path(), {.tables = {"audit_rules"}});

  CHECK(answer.violation == "");
  CHECK(answer.tables.at("audit_rules").size() == 5);
  CHECK(answer.cell("audit_rules", "source", "/etc/audit/rules.d/10-x.rules", "path") ==
        "/etc/passwd");
  CHECK(answer.cell("audit_rules", "rule", "-e 2", "kind") == "control");
  CHECK(answer.has_gap("audit_rules", "/etc/audit/rules.d/10-x.rules:2"));
  CHECK(answer.has_gap("audit_rules", "/etc/audit/rules.d/pipe.rules"));
}
