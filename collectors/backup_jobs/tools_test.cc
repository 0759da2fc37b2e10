// SPDX-License-Identifier: Apache-2.0
// What the tools print and how their configurations read, also hostile ones.
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>
#include <string>

#include "collectors/backup_jobs/borg.h"
#include "collectors/backup_jobs/dump_files.h"
#include "collectors/backup_jobs/journal.h"
#include "collectors/backup_jobs/own_tests.h"
#include "collectors/backup_jobs/pgbackrest.h"
#include "collectors/backup_jobs/rsnapshot.h"
#include "collectors/sdk/testing.h"
#include "source_dir.h"

namespace vouch::backup_jobs {
namespace {

std::string sample(const std::string& name) {
  std::ifstream in(VOUCH_SOURCE_DIR "/../shared/testbed/samples/" + name);
  std::stringstream text;
  text << in.rdbuf();
  if (text.str().empty()) WARN("skipped: no sample " << name);
  return text.str();
}

TEST_CASE("calls of each tool are found in command lines", "[tools]") {
  ToolEnvironment environment;
  read_assignment("BORG_PASSCOMMAND=cat /root/.borg", environment);
  read_assignment("BORG_PASSPHRASE=hunter2", environment);
  const auto borg = find_tools(
      "nice borg create -C lz4 --exclude '*.tmp' -e /home/x ssh://u@h/./r::{now} /etc /home",
      environment);
  REQUIRE(borg.size() == 1);
  CHECK(borg[0].action == "backup");
  CHECK(borg[0].repository == "ssh://u@h/./r");
  CHECK(borg[0].paths == std::vector<std::string>{"/etc", "/home"});
  CHECK(borg[0].excludes == std::vector<std::string>{"*.tmp", "/home/x"});
  CHECK(borg[0].password_file == "/root/.borg");
  CHECK(find_tools("borg extract /r::a", {}).at(0).action == "restore");

  const auto postgres = find_tools(
      "pgbackrest --stanza=main --config=/p.conf --type=full backup "
      "&& pgbackrest --stanza=main verify",
      {});
  REQUIRE(postgres.size() == 2);
  CHECK(postgres[0].action == "backup");
  CHECK(postgres[0].repository == "main");
  CHECK(postgres[0].config == "/p.conf");
  CHECK(postgres[1].action == "check");

  const auto rsnapshot = find_tools("/usr/bin/rsnapshot -c /etc/r.conf daily", {});
  REQUIRE(rsnapshot.size() == 1);
  CHECK(rsnapshot[0].action == "backup");
  CHECK(rsnapshot[0].config == "/etc/r.conf");
  CHECK(find_tools("rsnapshot configtest", {}).at(0).action == "configtest");
}

TEST_CASE("addresses of borg are told from paths", "[tools]") {
  for (const char* remote : {"ssh://u@host/./r", "u@host:r", "host:/srv/r"}) {
    CAPTURE(remote);
    CHECK(is_remote("borg", remote));
  }
  for (const char* local : {"/srv/r", "file:///srv/r", "ssh://localhost/r", "r"}) {
    CAPTURE(local);
    CHECK_FALSE(is_remote("borg", local));
  }
}

TEST_CASE("real answers of borg are read", "[borg]") {
  const std::string good = sample("borg-list-good.json");
  if (good.empty()) return;

  const auto state = parse_borg_list(good);

  REQUIRE(state);
  REQUIRE(state->snapshots.size() == 2);
  CHECK(state->encrypted == true);
  CHECK(state->snapshots[0].time == *parse_second("2026-11-21T20:15:56Z"));
  CHECK(state->snapshots[0].tags == std::vector<std::string>{"day1"});
  CHECK(parse_borg_list(sample("borg-list-empty.json"))->snapshots.empty());
  for (std::size_t size = 0; size + 1 < good.size(); size += 11) {
    CHECK_FALSE(parse_borg_list(std::string_view(good).substr(0, size)));
  }
}

TEST_CASE("archives that a broken run left are no backups, and odd ones are refused", "[borg]") {
  const std::string id(64, 'a');
  const auto answer = [&](const std::string& members) {
    return parse_borg_list(R"({"archives":[{"id":")" + id + R"(",)" + members + "}]}");
  };
  CHECK(answer(R"("name":"a.checkpoint","time":"2026-11-21T20:15:56.000000")")->snapshots.empty());
  const auto backup = answer(R"("name":"a","end":"2026-11-21T20:15:56.000000","duration":0.5,)"
                             R"("command_line":["/usr/bin/borg","create","r::a","/it's","/b c"])");
  REQUIRE(backup);
  CHECK(backup->snapshots.at(0).paths == std::vector<std::string>{"/it's", "/b c"});
  CHECK_FALSE(backup->encrypted);
  CHECK_FALSE(answer(R"("name":"a","time":"yesterday")"));
  CHECK_FALSE(answer(R"("time":"2026-11-21T20:15:56.000000")"));
  CHECK_FALSE(parse_borg_list(R"({"archives":{}})"));
  CHECK_FALSE(parse_borg_list("\xff"));
}

TEST_CASE("borg's own configuration tells append-only and an inner key", "[borg]") {
  RepositoryPlace place;
  read_borg_config("[repository]\nversion = 1\nappend_only = 1\nkey = hunter2\n", place);
  CHECK(place.deletion_guard == "append_only of borg");
  CHECK(place.encrypted == true);
  RepositoryPlace other;
  read_borg_config("append_only = 0\nkey =\n\xff\n", other);
  CHECK_FALSE(other.deletion_guard);
  CHECK_FALSE(other.encrypted);
}

TEST_CASE("real answers of pgBackRest are read, and info does not see damage", "[pgbackrest]") {
  const std::string good = sample("pgbackrest-info-good.json");
  if (good.empty()) return;

  const auto state = parse_pgbackrest_info(good);

  REQUIRE(state);
  REQUIRE(state->snapshots.size() == 2);
  CHECK(state->snapshots[1].time == 1795292169);
  CHECK(state->snapshots[0].tags == std::vector<std::string>{"full"});
  CHECK(state->snapshots[0].bytes == 30760071);
  CHECK(state->encrypted == false);
  CHECK(parse_pgbackrest_info(sample("pgbackrest-info-empty.json"))->snapshots.empty());
  CHECK(parse_pgbackrest_info(sample("pgbackrest-info-missing.json")).error().code ==
        Errc::not_found);
  CHECK(parse_pgbackrest_info(sample("pgbackrest-info-corrupt.json"))->snapshots.size() == 2);
  const auto damage = pgbackrest_damage(sample("pgbackrest-verify-corrupt.txt"));
  REQUIRE(damage);
  CHECK_THAT(*damage, Catch::Contains("status: error"));
}

TEST_CASE("an answer of verify without a status is no result", "[pgbackrest]") {
  CHECK_FALSE(pgbackrest_damage(""));
  CHECK_FALSE(pgbackrest_damage("stanza: main\n"));
  CHECK(pgbackrest_damage("stanza: main\nstatus: ok\n")->empty());
  CHECK_THAT(*pgbackrest_damage("status: ok\n  backup: X, status: invalid, total files: 1\n"),
             Catch::Contains("invalid"));
}

TEST_CASE("pgBackRest's configuration says where, how encrypted and of what", "[pgbackrest]") {
  RepositoryPlace place;
  read_pgbackrest_config(
      "[global]\nrepo1-path=/srv/pg\nrepo1-cipher-type=aes-256-cbc\nrepo1-cipher-pass=hunter2\n"
      "repo2-type=s3\nrepo2-s3-bucket=b\nrepo2-path=/x\n[other]\nrepo1-path=/other\n"
      "[main]\npg1-path=/var/lib/postgresql/15/main\nrepo2-cipher-type=none\n",
      "main", place);
  CHECK(place.path == "/srv/pg");
  CHECK(place.address == "/srv/pg,s3:b/x");
  CHECK(place.is_remote);
  CHECK(place.encrypted == false);  // One of the two is not.
  CHECK(place.paths == std::vector<std::string>{"/var/lib/postgresql/15/main"});
  CHECK(place.log_path == "/var/log/pgbackrest/main-backup.log");
}

TEST_CASE("rsnapshot's directories are its backups", "[rsnapshot]") {
  sdk::TestTree tree;
  tree.file("/etc/rsnapshot.conf",
            "snapshot_root\t/srv/snap/\nretain\tdaily\t7\n#retain\tno\t1\nbackup\t/etc/\tlocal/\n"
            "logfile\t/var/log/rsnapshot.log\n")
      .directory("/srv/snap/daily.0")
      .directory("/srv/snap/daily.1")
      .directory("/srv/snap/daily.x")
      .directory("/srv/snap/dailyx.1")
      .file("/srv/snap/daily.2", "")
      .symlink("/srv/snap/daily.3", "/etc");
  Job job;
  job.tool = "rsnapshot";
  job.config = "/etc/rsnapshot.conf";
  const Root root = *Root::open(tree.path());

  const auto state = read_rsnapshot(root, job);

  REQUIRE(state);
  CHECK(state->snapshots.size() == 2);
  CHECK(state->snapshots[0].paths == std::vector<std::string>{"/etc/"});
  CHECK(rsnapshot_place(root, job).path == "/srv/snap");
  tree.file("/etc/rsnapshot.conf", "junk\n");
  CHECK_FALSE(read_rsnapshot(root, job));
}

TEST_CASE("a dump is complete by its own mark, whole files by their data", "[dumps]") {
  const std::string head = "--\n-- PostgreSQL database dump\n--\n";
  CHECK(dump_kind(head) == "sql");
  CHECK(has_end_mark(head, "x\n-- PostgreSQL database dump complete\n--\n\n") == true);
  CHECK(has_end_mark(head, "INSERT INTO") == false);
  CHECK(has_end_mark("-- MariaDB dump 10.19\n", "-- Dump completed on 2026-11-27\n") == true);
  CHECK_FALSE(has_end_mark("PGDMP", "-- Dump completed"));
  CHECK(dump_kind("\x1f\x8b\x08") == "gzip");
  CHECK(dump_kind("PGDMP\x01") == "pg_dump");
  CHECK(dump_kind("") == "unknown");
  CHECK(dump_kind(std::string(257, 'x') + "ustar ") == "tar");
}

TEST_CASE("results of our own tests are kept whole or not at all", "[own_tests]") {
  const TestMemory memory{{"a\ncheck", {1000, true, "fine", 3, {}, {}}},
                          {"a\nrestore", {2000, false, "differs", 4, 2, 1}}};
  const std::string bytes = serialize(memory);
  CHECK(*parse_test_memory(bytes) == memory);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    CAPTURE(i);
    CHECK_FALSE(parse_test_memory(std::string_view(bytes).substr(0, i)));
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    const auto parsed = parse_test_memory(flipped);
    CHECK_FALSE((parsed && !(*parsed == memory)));
  }
}

TEST_CASE("the journal's lines on ends of runs are read, others refused", "[journal]") {
  const auto line = [](const std::string& id, const std::string& more) {
    return R"({"__REALTIME_TIMESTAMP":"1795292169123456","UNIT":"b.service","MESSAGE_ID":")" + id +
           '"' + more + "}";
  };
  const auto good = parse_run_line(line("7ad2d189f7e94e70a38c781354912448", ""));
  REQUIRE(good);
  CHECK(good->result == "success");
  CHECK(good->time == 1795292169);
  CHECK(parse_run_line(line("d9b373ed55a64feb8242e02dbe79a49c", R"(,"UNIT_RESULT":"exit-code")"))
            ->result == "exit-code");
  CHECK_FALSE(parse_run_line(line("39f53479d3a045ac8e11786248231fbf", "")));
  CHECK_FALSE(parse_run_line(R"({"__REALTIME_TIMESTAMP":"x"})"));
  CHECK_FALSE(parse_run_line("-- No entries --"));
}

}  // namespace
}  // namespace vouch::backup_jobs
