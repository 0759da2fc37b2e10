// SPDX-License-Identifier: Apache-2.0
#include "collectors/backup_jobs/backup_jobs.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>

#include "collectors/sdk/testing.h"
#include "core/process.h"

namespace vouch::backup_jobs {
namespace {

json::Value job(const std::string& name, const std::string& repository,
                const std::string& password_file = {}) {
  json::Object object{{"name", name}, {"tool", "restic"}, {"repository", repository}};
  if (!password_file.empty()) object["password_file"] = password_file;
  return object;
}

sdk::TestAnswer run(const std::string& root, json::Array jobs, std::vector<std::string> tables) {
  return sdk::run_collector(make_backup_jobs(), root,
                            {.tables = std::move(tables), .options = {{"jobs", std::move(jobs)}}});
}

TEST_CASE("a host without any job has the tables, empty", "[backup_jobs]") {
  sdk::TestTree tree;
  tree.directory("/etc/systemd/system");

  const auto answer = sdk::run_collector(make_backup_jobs(), tree.path());

  CHECK(answer.violation.empty());
  CHECK(answer.errors.empty());
  for (const char* table :
       {"systemd_timers", "backup_jobs", "backup_snapshots", "backup_checks", "gaps"}) {
    CAPTURE(table);
    REQUIRE(answer.tables.contains(table));
    CHECK(answer.tables.at(table).empty());
  }
}

TEST_CASE("without systemd its timers are an error, never an empty table", "[backup_jobs]") {
  sdk::TestTree tree;

  const auto answer = sdk::run_collector(make_backup_jobs(), tree.path());

  CHECK_THAT(answer.errors.at("systemd_timers"), Catch::StartsWith("not-found"));
  CHECK(answer.tables.at("backup_jobs").empty());
}

TEST_CASE("jobs are found in units and cron, and no secret is", "[backup_jobs]") {
  sdk::TestTree tree;
  tree.file("/etc/systemd/system/b.service",
            "[Service]\nEnvironment=RESTIC_PASSWORD=hunter2 AWS_SECRET_ACCESS_KEY=hunter2\n"
            "EnvironmentFile=/etc/restic.env\nExecStart=/usr/bin/restic backup --tag hunter2 /etc "
            "/srv\n"
            "ExecStartPost=/usr/bin/restic check\n")
      .file("/etc/systemd/system/b.timer",
            "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n")
      .symlink("/etc/systemd/system/timers.target.wants/b.timer", "../b.timer")
      .file("/etc/restic.env",
            "RESTIC_REPOSITORY=rest:https://user:hunter2@backup.example:8000/db?key=hunter2\n"
            "RESTIC_PASSWORD_FILE=/etc/restic.pw\nRESTIC_PASSWORD=hunter2\n",
            0600)
      .file("/etc/restic.pw", "hunter2\n", 0640)
      .file("/etc/cron.d/c",
            "RESTIC_PASSWORD=hunter2\n1 2 * * * root restic -r /srv/r "
            "--password-command 'echo hunter2' backup /home\n")
      .file("/etc/cron.d/c.dpkg-old", "1 2 * * * root restic -r /old backup /home\n")
      .file("/var/spool/cron/crontabs/eve", "@daily restic -r /e -p /etc/shadow backup /home\n");

  const auto answer = sdk::run_collector(make_backup_jobs(), tree.path());

  CHECK(answer.violation.empty());
  REQUIRE(answer.tables.at("backup_jobs").size() == 3);
  const auto cell = [&](const char* name, const char* wanted) {
    return answer.cell("backup_jobs", "name", name, wanted);
  };
  CHECK_THAT(cell("b.service", "repository"), Catch::Contains("backup.example:8000/db"));
  CHECK(cell("b.service", "remote") == "true");
  CHECK(cell("b.service", "schedule") == "b.timer OnCalendar=daily");
  CHECK(cell("b.service", "timer") == "b.timer");
  CHECK(cell("cron:/etc/cron.d/c", "timer") == "null");
  CHECK(cell("b.service", "password_file_mode") == "0640");
  CHECK(cell("b.service", "paths") == "/etc,/srv");
  CHECK(cell("cron:/etc/cron.d/c", "schedule") == "cron 1 2 * * *");
  CHECK(cell("cron:/etc/cron.d/c", "password_file") == "null");
  CHECK(answer.has_gap("backup_snapshots", "b.service"));
  CHECK(answer.has_gap("backup_checks", "b.service#2"));
  CHECK_THAT(answer.raw, !Catch::Contains("hunter2"));
}

TEST_CASE("a configured job takes the schedule of what is found for its repository",
          "[backup_jobs]") {
  sdk::TestTree tree;
  tree.file("/etc/cron.d/c", "1 2 * * * root restic -r /srv/r backup /home\n");

  const auto answer = run(tree.path(), {job("db", "/srv/r")}, {"backup_jobs"});

  REQUIRE(answer.tables.at("backup_jobs").size() == 1);
  CHECK(answer.cell("backup_jobs", "name", "db", "schedule") == "cron 1 2 * * *");
  CHECK(answer.cell("backup_jobs", "name", "db", "paths") == "/home");
}

TEST_CASE("wrong jobs are errors that name the job", "[backup_jobs]") {
  sdk::TestTree tree;
  const auto bad =
      GENERATE(json::Array{job("a", "/r"), job("a", "/s")}, json::Array{job("", "/r")},
               json::Array{job("a", "")}, json::Array{job("a", "/r", "relative")},
               json::Array{json::Object{{"name", "a"}, {"tool", "tape"}, {"repository", "/r"}}},
               json::Array{json::Object{{"name", "a"}, {"tool", "directory"}, {"repository", "r"}}},
               json::Array{json::Object{{"name", "a"}, {"tool", "pgbackrest"}}},
               json::Array{json::Object{
                   {"name", "a"}, {"tool", "borg"}, {"repository", "/r"}, {"verify_days", "0"}}});

  const auto answer = run(tree.path(), bad, {"backup_jobs", "backup_snapshots"});

  CHECK_THAT(answer.errors.at("backup_jobs"), Catch::Contains("option jobs"));
  CHECK(answer.errors.contains("backup_snapshots"));
}

TEST_CASE("hostile files of units and cron are gaps", "[backup_jobs]") {
  sdk::TestTree tree;
  tree.fifo("/etc/systemd/system/f.timer")
      .file("/etc/systemd/system/junk.timer", std::string("\xff\0\x01[[[\n=\n\\", 10))
      .symlink("/etc/systemd/system/loop.timer", "loop.timer")
      .fifo("/etc/crontab")
      .symlink("/etc/cron.d/out", "/../../../../etc/hostname");

  const auto answer = sdk::run_collector(make_backup_jobs(), tree.path());

  CHECK(answer.violation.empty());
  CHECK(answer.has_gap("systemd_timers", "/etc/systemd/system/f.timer"));
  CHECK(answer.has_gap("systemd_timers", "/etc/systemd/system/loop.timer"));
  CHECK(answer.has_gap("backup_jobs", "/etc/crontab"));
  CHECK(answer.cell("systemd_timers", "id", "junk.timer", "unit_file_state") == "static");
}

TEST_CASE("an image's timers have their stamps, and a gap where none is kept", "[backup_jobs]") {
  sdk::TestTree tree;
  tree.file("/etc/systemd/system/p.timer", "[Timer]\nOnCalendar=daily\nPersistent=true\n")
      .file("/etc/systemd/system/n.timer", "[Timer]\nOnCalendar=daily\n")
      .file("/var/lib/systemd/timers/stamp-p.timer", "");

  const auto answer =
      sdk::run_collector(make_backup_jobs(), tree.path(), {.tables = {"systemd_timers"}});

  CHECK(answer.cell("systemd_timers", "id", "p.timer", "last_trigger") != "null");
  CHECK(answer.cell("systemd_timers", "id", "n.timer", "last_trigger") == "null");
  CHECK(answer.has_gap("systemd_timers", "n.timer"));
  CHECK_FALSE(answer.has_gap("systemd_timers", "p.timer"));
}

// A real repository with one snapshot.
class Repository {
 public:
  explicit Repository(sdk::TestTree& tree) : tree_(tree) {
    tree.file("/pw", "hunter2\n", 0600).file("/wrong", "hunter3\n", 0600).file("/data/f", "x");
    restic({"init"});
    restic({"backup", "--host", "db1", "--tag", "daily", tree.path() + "/data"});
  }
  [[nodiscard]] std::string path() const { return tree_.path() + "/repository"; }

 private:
  void restic(std::vector<std::string> arguments) const {
    Command command;
    command.argv = {"/usr/bin/restic", "-q", "--no-cache"};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    command.environment = {"RESTIC_REPOSITORY=" + path(),
                           "RESTIC_PASSWORD_FILE=" + tree_.path() + "/pw"};
    const auto exit = run_process(command);
    REQUIRE(exit);
    CAPTURE(exit->standard_error);
    REQUIRE(exit->code == 0);
  }
  sdk::TestTree& tree_;
};

TEST_CASE("restic is asked for the snapshots of each job", "[backup_jobs][restic]") {
  if (access("/usr/bin/restic", X_OK) != 0) {
    WARN("skipped: restic is not installed");
    return;
  }
  sdk::TestTree tree;
  const Repository repository(tree);
  const std::string password_file = tree.path() + "/pw";

  const auto answer = run("/",
                          {job("good", repository.path(), password_file),
                           job("wrong", repository.path(), tree.path() + "/wrong"),
                           job("absent", tree.path() + "/absent", password_file),
                           job("no-file", repository.path(), tree.path() + "/none"),
                           job("no-password", repository.path()),
                           job("closed", "rest:http://u:hunter2@127.0.0.1:1/", password_file)},
                          {"backup_jobs", "backup_snapshots"});

  CHECK(answer.violation.empty());
  CHECK(answer.errors.empty());
  CHECK(answer.cell("backup_snapshots", "job", "good", "hostname") == "db1");
  CHECK(answer.cell("backup_snapshots", "job", "good", "tags") == "daily");
  CHECK(answer.cell("backup_snapshots", "job", "good", "paths") == tree.path() + "/data");
  for (const char* name : {"wrong", "absent", "no-file", "no-password", "closed"}) {
    CAPTURE(name);
    CHECK(answer.has_gap("backup_snapshots", name));
  }
  CHECK_FALSE(answer.has_gap("backup_snapshots", "good"));
  CHECK_THAT(answer.raw, !Catch::Contains("hunter"));
}

}  // namespace
}  // namespace vouch::backup_jobs
