// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "collectors/config_drift/config_drift.h"
#include "collectors/config_drift/log_targets.h"
#include "collectors/config_drift/logrotate.h"
#include "collectors/sdk/testing.h"

using namespace vouch;
using namespace vouch::drift;

TEST_CASE("rsyslog's targets in both of its languages", "[logs]") {
  const auto file = parse_rsyslog(
      "$IncludeConfig /etc/rsyslog.d/*.conf\n"
      "# *.* @@commented\n"
      "*.* @plain.example:514\n"
      "auth,authpriv.* @@(o)tcp.example:6514;Template  # note\n"
      "*.* :omrelp:relp.example:2514\n"
      "*.* /var/log/all@x\n"
      ":msg, contains, \"a@b\" /var/log/x\n"
      "*.* action(type=\"omfwd\" target=\"tls.example\" port=\"6514\" protocol=\"tcp\"\n"
      "   StreamDriver=\"gtls\" StreamDriverMode=\"1\" # comment\n)\n"
      "if $x then { action(type=\"omrelp\" Target=\"r.example\" tls=\"on\") }\n"
      "action(type=\"omfile\" file=\"/x\")\n"
      "include(file=\"/etc/extra.conf\" mode=\"optional\")\n");

  REQUIRE(file.targets.size() == 5);
  CHECK(file.targets[0].target == "plain.example:514");
  CHECK(file.targets[0].protocol == "udp");
  CHECK_FALSE(file.targets[0].encrypted);
  CHECK(file.targets[1].target == "tcp.example:6514");
  CHECK(file.targets[1].protocol == "tcp");
  CHECK(file.targets[2].target == "relp.example:2514");
  CHECK(file.targets[2].protocol == "relp");
  CHECK(file.targets[3].target == "tls.example:6514");
  CHECK(file.targets[3].encrypted);
  CHECK(file.targets[4].target == "r.example");
  CHECK(file.targets[4].encrypted);
  CHECK(file.includes == std::vector<std::string>{"/etc/rsyslog.d/*.conf", "/etc/extra.conf"});
}

TEST_CASE("an unfinished action ends with its file", "[logs]") {
  for (const std::string text :
       {"action(", "action(type=\"omfwd", "action(type=", "action(a b",
        "action(x=(1,2) type=\"omfwd\" target=\"h\"", "*.* @", "*.* @@(", "$IncludeConfig"}) {
    CAPTURE(text);
    CHECK(parse_rsyslog(text).targets.size() <= 1);
  }
}

TEST_CASE("syslog-ng's destinations, not its sources", "[logs]") {
  const auto targets = parse_syslog_ng(
      "source s_net { network(ip(\"0.0.0.0\") port(514)); };\n"
      "destination d_file { file(\"/var/log/x\"); };\n"
      "destination d_tls { network(\"log.example\" port(6514) transport(\"tls\") "
      "tls(ca-dir(\"/x\"))); };\n"
      "destination d_udp { udp(\"old.example\"); };\n"
      "log { source(s_net); destination(d_tls); };\n");

  REQUIRE(targets.size() == 2);
  CHECK(targets[0].target == "log.example:6514");
  CHECK(targets[0].encrypted);
  CHECK(targets[0].protocol == "tcp");
  CHECK(targets[1].target == "old.example");
  CHECK(targets[1].protocol == "udp");
  CHECK(parse_syslog_ng("destination d { network(\"x").size() <= 1);
}

TEST_CASE("logrotate: blocks inherit what was set before them, scripts are passed over", "[logs]") {
  RotationDefaults defaults;
  const auto file = parse_logrotate(
      "weekly\nrotate 4\ninclude /etc/logrotate.d\n\n"
      "/var/log/a.log \"/var/log/b c.log\" {\n  daily\n  rotate 14\n  maxage 30\n  postrotate\n"
      "    rotate 99\n    }\n  endscript\n}\n"
      "/var/log/c.log\n/var/log/d.log\n{\n  size 10M\n}\n"
      "/var/log/e { monthly }\n/var/log/open {\n",
      "/x", defaults);

  REQUIRE(file.rotations.size() == 5);
  CHECK(file.rotations[0].path == "/var/log/a.log");
  CHECK(file.rotations[1].path == "/var/log/b c.log");
  CHECK(file.rotations[1].period == "daily");
  CHECK(file.rotations[1].rotate == 14);
  CHECK(file.rotations[1].max_age_days == 30);
  CHECK(file.rotations[3].path == "/var/log/d.log");
  CHECK(file.rotations[3].period == "size");
  CHECK(file.rotations[3].size == "10M");
  CHECK(file.rotations[3].rotate == 4);
  CHECK(file.rotations[4].period == "monthly");
  CHECK(file.includes == std::vector<std::string>{"/etc/logrotate.d"});
  CHECK(file.faults.size() == 1);
}

TEST_CASE("the tables of logging, from their files", "[logs]") {
  sdk::TestTree tree;
  tree.file("/usr/lib/systemd/systemd-journald", "").symlink("/lib", "usr/lib");
  tree.file("/etc/systemd/journald.conf", "[Journal]\n#Storage=auto\n");
  tree.file("/etc/systemd/journald.conf.d/x.conf",
            "[Journal]\nStorage=persistent\nMaxRetentionSec=3month\nSystemMaxUse=2G\n");
  tree.file("/etc/audit/auditd.conf",
            "max_log_file = 8\nmax_log_file_action = KEEP_LOGS\nbroken\n");
  tree.file("/etc/rsyslog.conf", "$IncludeConfig /etc/rsyslog.d/*.conf\n");
  tree.file("/etc/rsyslog.d/out.conf", "*.* @@log.example:514\n");
  tree.file("/etc/systemd/journal-upload.conf", "[Upload]\nURL=http://ann:planted@log.example\n");
  tree.file("/etc/audit/plugins.d/au-remote.conf", "active = yes\n");
  tree.file("/etc/audit/audisp-remote.conf", "remote_server = audit.example\ntransport = tcp\n");
  tree.file("/etc/logrotate.conf", "monthly\nrotate 3\ninclude /etc/logrotate.d\n");
  tree.file("/etc/logrotate.d/app", "/var/log/app.log {\n  rotate 12\n}\n");
  tree.file("/etc/logrotate.d/app.dpkg-old", "/var/log/old.log {\n}\n");
  tree.file("/var/log/syslog", "", 0640).directory("/var/log/open", 0777);
  tree.file("/var/log/journal/1/system.journal", "", 0640);
  tree.file("/var/log/journal/1/system@1-2.journal", "", 0666);
  tree.symlink("/var/log/out", "/../../etc").fifo("/var/log/pipe");

  const auto answer =
      sdk::run_collector(make_config_drift(), tree.path(),
                         {.tables = {"log_settings", "log_targets", "log_rotations", "log_files"}});

  CHECK(answer.violation == "");
  CHECK(answer.errors.empty());
  CHECK(answer.cell("log_settings", "name", "storage", "value") == "persistent");
  CHECK(answer.cell("log_settings", "name", "storage", "source") ==
        "/etc/systemd/journald.conf.d/x.conf");
  CHECK(answer.cell("log_settings", "name", "maxretentionsec", "number") == "7889400");
  CHECK(answer.cell("log_settings", "name", "compress", "source") == "null");
  CHECK(answer.cell("log_settings", "name", "systemmaxuse", "number") == "2147483648");
  CHECK(answer.cell("log_settings", "name", "max_log_file_action", "value") == "KEEP_LOGS");
  CHECK(answer.has_gap("log_settings", "/etc/audit/auditd.conf:3"));
  CHECK(answer.cell("log_targets", "service", "rsyslog", "source") == "/etc/rsyslog.d/out.conf");
  CHECK(answer.cell("log_targets", "service", "journal-upload", "target") ==
        "http://[redacted]@log.example");
  CHECK(answer.cell("log_targets", "service", "journal-upload", "encrypted") == "false");
  CHECK(answer.cell("log_targets", "service", "audisp-remote", "target") == "audit.example");
  CHECK(answer.cell("log_rotations", "path", "/var/log/app.log", "period") == "monthly");
  CHECK(answer.cell("log_rotations", "path", "/var/log/app.log", "rotate") == "12");
  CHECK(answer.tables.at("log_rotations").size() == 1);
  CHECK(answer.cell("log_files", "path", "/var/log/syslog", "mode") == "0640");
  CHECK(answer.cell("log_files", "path", "/var/log/open", "mode") == "0777");
  CHECK(answer.cell("log_files", "path", "/var/log/pipe", "type") == "other");
  CHECK(answer.cell("log_files", "path", "/var/log/out", "type") == "symlink");
  CHECK(answer.cell("log_files", "path", "/var/log/journal/1/system@1-2.journal", "mode") == "");
  CHECK(answer.raw.find("planted") == std::string::npos);
}
