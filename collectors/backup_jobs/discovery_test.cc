// SPDX-License-Identifier: Apache-2.0
#include "collectors/backup_jobs/discovery.h"

#include <catch2/catch.hpp>
#include <string>

#include "collectors/backup_jobs/systemctl.h"
#include "collectors/sdk/testing.h"

namespace vouch::backup_jobs {
namespace {

std::vector<ToolUse> find(std::string_view line) {
  return find_tools(line, {});
}

TEST_CASE("words are split as a shell splits them", "[command_line]") {
  using Words = std::vector<std::string>;
  CHECK(split_words(R"(a "b c" 'd "e' f\ g)") == Words{"a", "b c", "d \"e", "f g"});
  CHECK(split_words("a;b&&c||d|e&f") ==
        Words{"a", ";", "b", "&&", "c", "||", "d", "|", "e", "&", "f"});
  CHECK(split_words(R"("" 'open)") == Words{"", "open"});
  CHECK(split_words(" \t").empty());
}

TEST_CASE("the repository is found however it is given", "[command_line]") {
  const auto* line =
      GENERATE("/usr/bin/restic -r /srv/r backup /etc", "restic --repo=/srv/r backup /etc",
               "restic -r/srv/r backup /etc", "restic backup --repo /srv/r --tag x -q /etc",
               "RESTIC_REPOSITORY=/srv/r RESTIC_PASSWORD=hunter2 nice -n 19 restic backup /etc",
               "-/usr/local/bin/restic -r /srv/r backup --exclude /etc/shadow /etc",
               "sh -c 'cd /; restic -r /srv/r backup /etc'",
               "/bin/bash -ec \"restic -r /srv/r backup /etc\"",
               "mysqldump | gzip > x && restic -r /srv/r backup /etc; echo done");
  CAPTURE(line);

  const auto uses = find(line);

  REQUIRE(uses.size() == 1);
  CHECK(uses[0].action == "backup");
  CHECK(uses[0].repository == "/srv/r");
  CHECK(uses[0].paths == std::vector<std::string>{"/etc"});
}

TEST_CASE("every call in a line is found", "[command_line]") {
  const auto uses = find("restic -r a backup /x && restic -r a forget --prune; restic -r b check");

  REQUIRE(uses.size() == 3);
  CHECK(uses[1].action == "forget");
  CHECK(uses[2].repository == "b");
  CHECK(uses[1].paths.empty());
}

TEST_CASE("lines that only mention restic are no use of it", "[command_line]") {
  CHECK(find("apt-get install restic").empty());
  CHECK(find("echo restic-backup done").empty());
  CHECK(find("restic").empty());
  CHECK(find("sh -c sh -c sh -c").empty());
}

TEST_CASE("addresses of other hosts are remote", "[command_line]") {
  const auto* remote = GENERATE("sftp:u@h:/r", "rest:https://u:p@h:8000/", "s3:s3.amazonaws.com/b",
                                "b2:bucket:p", "azure:c:/", "gs:b:/", "rclone:x:y");
  CHECK(is_remote("restic", remote));
  const auto* local = GENERATE("/srv/r", "local:/srv/r", "rest:http://127.0.0.1:8000/",
                               "rest:http://u:p@localhost/", "relative/x", "strange:x");
  CHECK_FALSE(is_remote("restic", local));
}

TEST_CASE("settings of units keep continuation lines and lose comments", "[unit_files]") {
  const auto settings = parse_unit(
      "# c\n[Service]\nExecStart=/bin/a \\\n# between\n  b\n;x\nEnvironment=\n = "
      "y\n[Install]\nWantedBy = t\r\n");

  REQUIRE(settings.size() == 3);
  CHECK(settings[0].value == "/bin/a  b");
  CHECK(settings[1].value.empty());
  CHECK(settings[2].section == "Install");
  CHECK(settings[2].value == "t");
}

TEST_CASE("timers are read with drop-ins, links, instances and masks", "[unit_files]") {
  sdk::TestTree tree;
  tree.file("/usr/lib/systemd/system/a.timer", "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=t\n")
      .file("/etc/systemd/system/a.timer.d/x.conf",
            "[Timer]\nOnCalendar=\nOnCalendar=weekly\nUnit=z.service\n")
      .symlink("/etc/systemd/system/timers.target.wants/a.timer", "/usr/lib/systemd/system/a.timer")
      .file("/usr/lib/systemd/system/b.timer", "[Timer]\nOnBootSec=5\n")
      .symlink("/etc/systemd/system/b.timer", "/dev/null")
      .file("/usr/lib/systemd/system/c@.timer", "[Timer]\nOnCalendar=%i\n[Install]\nWantedBy=t\n")
      .symlink("/etc/systemd/system/timers.target.wants/c@x.timer",
               "/usr/lib/systemd/system/c@.timer")
      .file("/etc/systemd/system/d.timer", "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=t\n")
      .file("/usr/lib/systemd/system/e.timer", "[Timer]\nOnCalendar=daily\n")
      .symlink("/etc/systemd/system/timers.target.wants/gone.timer", "/nowhere");
  const auto root = Root::open(tree.path());
  REQUIRE(root);

  const auto units = read_units(*root, ".timer");

  REQUIRE(units);
  REQUIRE(units->units.size() == 5);
  CHECK(units->problems.empty());
  const Unit* a = units->find("a.timer");
  REQUIRE(a != nullptr);
  CHECK(a->state == "enabled");
  CHECK(schedule_of(*a) == "OnCalendar=weekly");
  CHECK(activated_by(*a) == "z.service");
  CHECK(units->find("b.timer")->state == "masked");
  CHECK(units->find("c@x.timer")->state == "enabled");
  CHECK(activated_by(*units->find("c@x.timer")) == "c@x.service");
  CHECK(units->find("d.timer")->state == "disabled");
  CHECK(units->find("e.timer")->state == "static");
}

TEST_CASE("crontabs give schedules, and variables count for the lines below", "[cron]") {
  const auto found = read_crontab(
      "# restic -r /no backup /x\nSHELL=/bin/sh\nRESTIC_REPOSITORY = \"/srv/a\"\n"
      "0 2 * * * root restic backup /a\n@daily root restic -r /srv/b backup /b # comment\n",
      "/etc/cron.d/r", true);

  REQUIRE(found.size() == 2);
  CHECK(found[0].name == "cron:/etc/cron.d/r");
  CHECK(found[0].schedule == "cron 0 2 * * *");
  CHECK(found[0].use.repository == "/srv/a");
  CHECK(found[1].name == "cron:/etc/cron.d/r#2");
  CHECK(found[1].schedule == "cron @daily");
  CHECK(found[1].use.repository == "/srv/b");
}

TEST_CASE("scripts may set the repository lines before they use it", "[cron]") {
  const auto found = read_script(
      "#!/bin/sh\nexport RESTIC_REPOSITORY=/srv/r\nexport RESTIC_PASSWORD_FILE='/etc/pw'\n"
      "# restic check\nrestic backup \\\n  /etc\n",
      "/etc/cron.daily/b", "cron.daily");

  REQUIRE(found.size() == 1);
  CHECK(found[0].use.repository == "/srv/r");
  CHECK(found[0].use.password_file == "/etc/pw");
  CHECK(found[0].use.paths == std::vector<std::string>{"/etc"});
}

TEST_CASE("systemctl's answers are read", "[systemctl]") {
  const auto states = parse_show(
      "Id=a.timer\nActiveState=active\nUnitFileState=enabled\nResult=success\n\n"
      "ExecMainExitTimestamp=Sat 2026-11-21 20:15:00 UTC\nId=a.service\nResult=exit-code\n");

  REQUIRE(states.size() == 2);
  CHECK(states.at("a.timer").unit_file_state == "enabled");
  CHECK_FALSE(states.at("a.timer").finished);
  CHECK(states.at("a.service").finished == 1795292100);
  CHECK(states.at("a.service").result == "exit-code");

  const auto timers = parse_list_timers(
      R"([{"next":1795292100790099,"left":1,"last":0,"passed":0,"unit":"a.timer","activates":"a.service"},)"
      R"({"next":null,"left":null,"last":1795292100000000,"unit":"b.timer","activates":""}])");
  REQUIRE(timers);
  CHECK(timers->at("a.timer").next == 1795292100);
  CHECK_FALSE(timers->at("a.timer").last);
  CHECK_FALSE(timers->at("b.timer").next);
  CHECK(timers->at("b.timer").last == 1795292100);
  CHECK_FALSE(parse_list_timers("{}"));
  CHECK_FALSE(parse_list_timers("[{}]"));
  CHECK_FALSE(parse_systemd_time("n/a"));
}

}  // namespace
}  // namespace vouch::backup_jobs
