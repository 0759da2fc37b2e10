// SPDX-License-Identifier: Apache-2.0
// Real repositories of restic and borg: checked and restored from, good and damaged. And dumps.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "collectors/backup_jobs/backup_jobs.h"
#include "collectors/sdk/testing.h"
#include "core/process.h"

namespace vouch::backup_jobs {
namespace {

bool is_installed(const std::string& tool) {
  if (access(("/usr/bin/" + tool).c_str(), X_OK) == 0) return true;
  WARN("skipped: " << tool << " is not installed");
  return false;
}

void set_age(const std::string& path, long seconds) {
  const timespec now{time(nullptr) - seconds, 0};
  const timespec times[2] = {now, now};
  REQUIRE(utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
}

void start(std::vector<std::string> argv, std::vector<std::string> environment) {
  Command command;
  command.argv = std::move(argv);
  command.environment = std::move(environment);
  command.environment.emplace_back("PATH=/usr/bin:/bin");
  const auto exit = run_process(command);
  REQUIRE(exit);
  CAPTURE(exit->standard_error);
  REQUIRE(exit->code == 0);
}

// One backup of two files, which are an hour old.
struct Repository {
  explicit Repository(const std::string& tool_name) : tool(tool_name) {
    tree.file("/pw", "hunter2", 0600).file("/data/a", "one").file("/data/b", "two");
    set_age(tree.path() + "/data/a", 3600);
    set_age(tree.path() + "/data/b", 3600);
    const std::string data = tree.path() + "/data";
    if (tool == "restic") {
      const std::vector<std::string> environment = {"RESTIC_REPOSITORY=" + path(),
                                                    "RESTIC_PASSWORD_FILE=" + tree.path() + "/pw"};
      start({"/usr/bin/restic", "-q", "--no-cache", "init"}, environment);
      start({"/usr/bin/restic", "-q", "--no-cache", "backup", data}, environment);
    } else {
      const std::vector<std::string> environment = {"BORG_REPO=" + path(),
                                                    "BORG_PASSPHRASE=hunter2",
                                                    "BORG_BASE_DIR=" + tree.path() + "/base"};
      start({"/usr/bin/borg", "init", "-e", "repokey"}, environment);
      start({"/usr/bin/borg", "create", "::one", data}, environment);
    }
  }
  [[nodiscard]] std::string path() const { return tree.path() + "/repository"; }
  [[nodiscard]] std::string cache() const { return tree.path() + "/cache"; }

  sdk::TestAnswer run(std::vector<std::string> tables) {
    tree.directory("/cache");
    const json::Object job{{"name", "x"},
                           {"tool", tool},
                           {"repository", path()},
                           {"password_file", tree.path() + "/pw"},
                           {"verify_days", "7"},
                           {"restore_days", "7"},
                           {"restore_sample", tree.path() + "/data/a," + tree.path() + "/data/b"}};
    return sdk::run_collector(make_backup_jobs(), "/",
                              {.tables = std::move(tables),
                               .options = {{"jobs", json::Array{job}}},
                               .cache_dir = cache()});
  }

  std::string tool;
  sdk::TestTree tree;
};

TEST_CASE("a good repository passes its check and its restore test", "[own_tests]") {
  const auto* tool = GENERATE("restic", "borg");
  if (!is_installed(tool)) return;
  Repository repository(tool);

  const auto answer = repository.run({"backup_jobs", "backup_snapshots", "backup_checks"});

  CAPTURE(answer.raw);
  CHECK(answer.violation.empty());
  CHECK(answer.cell("backup_jobs", "name", "x", "encrypted") == "true");
  CHECK(answer.tables.at("backup_snapshots").size() == 1);
  CHECK(answer.cell("backup_snapshots", "job", "x", "paths") == repository.tree.path() + "/data");
  CHECK(answer.cell("backup_checks", "kind", "check", "result") == "ok");
  CHECK(answer.cell("backup_checks", "kind", "restore", "result") == "ok");
  CHECK(answer.cell("backup_checks", "kind", "restore", "files") == "2");
  CHECK(answer.cell("backup_checks", "kind", "restore", "mismatched") == "0");
  CHECK_THAT(answer.raw, !Catch::Contains("hunter2"));

  const auto second = repository.run({"backup_checks"});  // Not due yet: the same result.
  CHECK(second.tables.at("backup_checks") == answer.tables.at("backup_checks"));
}

TEST_CASE("a source that differs although it claims its age is a mismatch", "[own_tests]") {
  const auto* tool = GENERATE("restic", "borg");
  if (!is_installed(tool)) return;
  Repository repository(tool);
  repository.tree.file("/data/a", "ONE");
  set_age(repository.tree.path() + "/data/a", 3600);

  auto answer = repository.run({"backup_checks"});
  CHECK(answer.cell("backup_checks", "kind", "restore", "result") == "failed");
  CHECK(answer.cell("backup_checks", "kind", "restore", "mismatched") == "1");

  repository.tree.file("/data/a", "new").file("/data/b", "new").remove("/cache/tests");
  answer = repository.run({"backup_checks"});
  CHECK(answer.cell("backup_checks", "kind", "restore", "result").empty());
  CHECK(answer.has_gap("backup_checks", "x"));
}

TEST_CASE("a damaged repository fails its check", "[own_tests]") {
  const auto* tool = GENERATE("restic", "borg");
  if (!is_installed(tool)) return;
  Repository repository(tool);
  namespace fs = std::filesystem;
  for (const auto& entry : fs::recursive_directory_iterator(repository.path() + "/data")) {
    if (!entry.is_regular_file() || entry.file_size() < 20) continue;
    fs::permissions(entry.path(), fs::perms::owner_write, fs::perm_options::add);
    if (repository.tool == "restic") {
      fs::resize_file(entry.path(), entry.file_size() - 10);
    } else {
      const int fd = ::open(entry.path().c_str(), O_WRONLY);
      REQUIRE(fd >= 0);
      REQUIRE(::pwrite(fd, "XXXXXXXX", 8, 60) == 8);
      ::close(fd);
    }
  }
  const json::Object job{{"name", "x"},
                         {"tool", repository.tool},
                         {"repository", repository.path()},
                         {"password_file", repository.tree.path() + "/pw"},
                         {"verify_days", "7"}};
  repository.tree.directory("/cache");

  const auto answer = sdk::run_collector(make_backup_jobs(), "/",
                                         {.tables = {"backup_checks"},
                                          .options = {{"jobs", json::Array{job}}},
                                          .cache_dir = repository.cache()});

  CAPTURE(answer.raw);
  CHECK(answer.cell("backup_checks", "kind", "check", "result") == "failed");
}

TEST_CASE("without a directory between runs no test of ours is made", "[own_tests]") {
  const json::Object job{{"name", "x"},
                         {"tool", "restic"},
                         {"repository", "/none"},
                         {"password_file", "/none"},
                         {"verify_days", "7"}};
  const auto answer =
      sdk::run_collector(make_backup_jobs(), "/",
                         {.tables = {"backup_checks"}, .options = {{"jobs", json::Array{job}}}});
  CHECK_THAT(answer.errors.at("backup_checks"), Catch::StartsWith("not-supported"));
}

TEST_CASE("dumps have their kind, age and completeness", "[dumps]") {
  const std::string head = "--\n-- PostgreSQL database dump\n--\n";
  sdk::TestTree tree;
  tree.file("/d/new.sql", head + "x\n--\n-- PostgreSQL database dump complete\n--\n", 0600)
      .file("/d/old.sql", "")
      .file("/d/note.txt", "x")
      .fifo("/d/f.sql")
      .symlink("/d/l.sql", "new.sql")
      .file("/d/\xff.sql", head)
      .file("/half/half.sql", head + "INSERT")
      .directory("/none");
  set_age(tree.path() + "/d/old.sql", 7200);
  set_age(tree.path() + "/d/\xff.sql", 3600);
  const auto job = [](const char* name, const char* directory) {
    return json::Object{
        {"name", name}, {"tool", "directory"}, {"repository", directory}, {"pattern", "*.sql"}};
  };

  const auto answer = sdk::run_collector(
      make_backup_jobs(), tree.path(),
      {.tables = {"backup_jobs", "backup_dumps", "backup_snapshots", "backup_repositories"},
       .options = {{"jobs", json::Array{job("d", "/d"), job("half", "/half"), job("none", "/none"),
                                        job("gone", "/gone")}}}});

  CHECK(answer.violation.empty());
  CHECK(answer.cell("backup_dumps", "path", "/d/new.sql", "complete") == "true");
  CHECK(answer.cell("backup_dumps", "path", "/d/new.sql", "mode") == "0600");
  CHECK(answer.cell("backup_dumps", "path", "/d/old.sql", "complete") == "false");
  CHECK(answer.cell("backup_dumps", "path", "/half/half.sql", "complete") == "false");
  CHECK(answer.cell("backup_dumps", "path", "/d/\\xff.sql", "kind") == "sql");
  CHECK(answer.tables.at("backup_dumps").size() == 4);
  CHECK(answer.tables.at("backup_snapshots").size() == 2);  // Neither empty nor broken-off ones.
  CHECK(answer.has_gap("backup_dumps", "gone"));
  CHECK(answer.has_gap("backup_repositories", "gone"));
  CHECK(answer.cell("backup_repositories", "job", "d", "path") == "/d");
}

}  // namespace
}  // namespace vouch::backup_jobs
