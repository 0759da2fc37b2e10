// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/crontab.h"

#include <catch2/catch.hpp>

#include "collectors/config_drift/config_drift.h"
#include "collectors/sdk/testing.h"

using namespace vouch;
using namespace vouch::drift;

namespace {

const std::string kAtJob =
    "#!/bin/sh\n# atrun uid=1000 gid=1000\n# mail ann 0\numask 22\n"
    "PASSWORD=planted; export PASSWORD\ncd /home/ann || {\n\t echo 'no' >&2\n\t exit 1\n}\n";

}  // namespace

TEST_CASE("a crontab's lines are jobs, variables are not", "[cron]") {
  const auto crontab = parse_crontab(
      "SHELL=/bin/sh\nMAILTO = root\n# no\n\n17 *\t* * *  root  cd / && run  --all\n"
      "@reboot ann /home/ann/x=1\n-*/5 * * * * root quiet\n1 2 3\n",
      "/etc/crontab", true);

  REQUIRE(crontab.jobs.size() == 3);
  CHECK(crontab.jobs[0].schedule == "17 * * * *");
  CHECK(crontab.jobs[0].username == "root");
  CHECK(crontab.jobs[0].command == "cd / && run  --all");
  CHECK(crontab.jobs[1].schedule == "@reboot");
  CHECK(crontab.jobs[1].username == "ann");
  CHECK(crontab.jobs[1].command == "/home/ann/x=1");
  CHECK(crontab.jobs[2].schedule == "*/5 * * * *");
  CHECK(crontab.faults == std::vector<int>{8});
}

TEST_CASE("what a cron line feeds to its command is left out", "[cron]") {
  const auto crontab =
      parse_crontab("0 1 * * * login%planted%x\n0 2 * * * date +\\%F\n", "/x", false, "ann");

  REQUIRE(crontab.jobs.size() == 2);
  CHECK(crontab.jobs[0].command == "login%[redacted]");
  CHECK(crontab.jobs[0].username == "ann");
  CHECK(crontab.jobs[1].command == "date +\\%F");
}

TEST_CASE("an at job is its time, its user and its body", "[cron]") {
  const auto plain = parse_at_job("a0000101b3f4a8", kAtJob + "rm -r /x\n", "/s");
  const auto wrapped = parse_at_job("a0000101b3f4a8",
                                    kAtJob +
                                        "${SHELL:-/bin/sh} << 'marcinDELIMITER0f'\nrm -r /x\nls\n\n"
                                        "marcinDELIMITER0f\n",
                                    "/s");

  REQUIRE(plain);
  CHECK(plain->command == "rm -r /x");
  CHECK(plain->username == "#1000");
  CHECK(plain->schedule == "1714247520");
  REQUIRE(wrapped);
  CHECK(wrapped->command == "rm -r /x\nls");
  CHECK_FALSE(parse_at_job("=0000101b3f4a8", kAtJob, "/s"));
  CHECK_FALSE(parse_at_job("a0000101b3f4ag", kAtJob, "/s"));
  CHECK_FALSE(parse_at_job("short", "", "/s"));
  CHECK_FALSE(parse_at_job("a000011", kAtJob, "/s"));
  CHECK(parse_at_job("a0000101b3f4a8", "", "/s")->command.empty());
}

TEST_CASE("all that starts by the clock is one table, and what is skipped is shown", "[cron]") {
  sdk::TestTree tree;
  tree.file("/etc/debian_version", "12.0\n");
  tree.file("/etc/crontab", "17 * * * * root run\nbroken\n");
  tree.file("/etc/cron.d/app", "0 1 * * * app mysql --password=planted db\n");
  tree.file("/etc/cron.d/app.dpkg-old", "0 1 * * * root old\n");
  tree.fifo("/etc/cron.d/pipe").symlink("/etc/cron.d/loop", "loop");
  tree.file("/var/spool/cron/crontabs/ann", "@daily mine\n");
  tree.file("/etc/cron.daily/logrotate", "#!/bin/sh\n", 0755);
  tree.file("/etc/cron.daily/off", "#!/bin/sh\n", 0644);
  tree.file("/etc/anacrontab", "START_HOURS_RANGE=3-22\n1 5 cron.daily nice run-parts /x\n");
  tree.file("/var/spool/cron/atjobs/a0000101b3f4a8", kAtJob + "rm -r /x\n");
  tree.file("/var/spool/cron/atjobs/.SEQ", "1");
  const std::string lib = "/usr/lib/systemd/system/";
  tree.file(lib + "scan.timer", "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n");
  tree.file(lib + "scan.service", "[Service]\nUser=scan\nExecStart=/bin/scan\n");
  tree.file("/etc/systemd/system/scan.service.d/x.conf",
            "[Service]\nExecStart=\nExecStart=/bin/evil --token planted\n");
  tree.file(lib + "tidy.timer", "[Timer]\nOnBootSec=5min\nUnit=scan.service\n");
  tree.symlink(lib + "timers.target.wants/tidy.timer", "../tidy.timer");
  tree.file(lib + "masked.timer", "[Timer]\nOnCalendar=weekly\n");
  tree.symlink("/etc/systemd/system/masked.timer", "/dev/null");

  const auto answer =
      sdk::run_collector(make_config_drift(), tree.path(), {.tables = {"scheduled_jobs"}});

  CHECK(answer.violation == "");
  CHECK(answer.errors.empty());
  const auto enabled = [&](std::string_view column, std::string_view value) {
    return answer.cell("scheduled_jobs", column, value, "enabled");
  };
  CHECK(enabled("source", "/etc/crontab") == "true");
  CHECK(enabled("source", "/etc/cron.d/app") == "true");
  CHECK(enabled("source", "/etc/cron.d/app.dpkg-old") == "false");
  CHECK(enabled("source", "/etc/cron.daily/logrotate") == "true");
  CHECK(enabled("source", "/etc/cron.daily/off") == "false");
  CHECK(enabled("unit", "scan.timer") == "false");
  CHECK(enabled("unit", "tidy.timer") == "true");
  CHECK(enabled("unit", "masked.timer") == "false");
  CHECK(answer.cell("scheduled_jobs", "username", "ann", "command") == "mine");
  CHECK(answer.cell("scheduled_jobs", "kind", "at", "command") == "rm -r /x");
  CHECK(answer.cell("scheduled_jobs", "kind", "anacron", "schedule") == "1 5 cron.daily");
  CHECK(answer.cell("scheduled_jobs", "unit", "tidy.timer", "command") ==
        "/bin/evil --token [redacted]");
  CHECK(answer.cell("scheduled_jobs", "unit", "tidy.timer", "username") == "scan");
  CHECK(answer.cell("scheduled_jobs", "unit", "tidy.timer", "schedule") == "OnBootSec=5min");
  CHECK(answer.raw.find("planted") == std::string::npos);
  CHECK(answer.has_gap("scheduled_jobs", "/etc/crontab:2"));
  CHECK(answer.has_gap("scheduled_jobs", "/etc/cron.d/pipe"));
  CHECK(answer.has_gap("scheduled_jobs", "/etc/cron.d/loop"));
}
