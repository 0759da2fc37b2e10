// SPDX-License-Identifier: Apache-2.0
#include "core/sqlite.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>

#include "core/file.h"

using namespace vouch;
using sqlite::Database;

namespace {

struct TemporaryDirectory {
  TemporaryDirectory() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~TemporaryDirectory() { std::system(("rm -rf " + path).c_str()); }
  std::string path = "/tmp/vouch-sqlite-test-XXXXXX";
};

std::int64_t count(Database& database, const std::string& table) {
  auto statement = database.prepare("SELECT count(*) FROM " + table);
  REQUIRE(statement);
  REQUIRE(statement->step().value());
  return statement->integer(0);
}

}  // namespace

TEST_CASE("values come back as they were bound", "[sqlite]") {
  auto database = Database::open_memory();
  REQUIRE(database);
  REQUIRE(database->execute("CREATE TABLE t(a INTEGER, b TEXT, c BLOB, d TEXT) STRICT"));
  const std::string blob("\0\xff z", 4);

  auto insert = database->prepare("INSERT INTO t VALUES(?1, ?2, ?3, ?4)");
  REQUIRE(insert);
  REQUIRE(
      insert->bind(1, INT64_MIN).bind(2, std::string_view()).bind_blob(3, blob).bind_null(4).run());

  auto select = database->prepare("SELECT a, b, c, d FROM t");
  REQUIRE(select);
  REQUIRE(select->step().value());
  CHECK(select->integer(0) == INT64_MIN);
  CHECK_FALSE(select->is_null(1));
  CHECK(select->text(1).empty());
  CHECK(select->text(2) == blob);
  CHECK(select->is_null(3));
  CHECK_FALSE(select->step().value());
  CHECK(database->changes() == 1);
}

TEST_CASE("a broken constraint is told apart from other errors", "[sqlite]") {
  auto database = Database::open_memory();
  REQUIRE(database->execute("CREATE TABLE t(a INTEGER PRIMARY KEY) STRICT"));
  auto insert = database->prepare("INSERT INTO t VALUES(?1)");
  REQUIRE(insert->bind(1, std::int64_t{7}).run());

  CHECK(insert->bind(1, std::int64_t{7}).run().error().code == Errc::exists);
  CHECK(insert->bind(1, std::int64_t{8}).run());
  CHECK(database->last_insert_rowid() == 8);
  CHECK(database->prepare("SELECT nonsense FROM t").error().code == Errc::other);
}

TEST_CASE("a transaction that fails leaves nothing behind", "[sqlite]") {
  auto database = Database::open_memory();
  REQUIRE(database->execute("CREATE TABLE t(a INTEGER PRIMARY KEY) STRICT"));

  const auto failed = database->transaction([&]() -> Status {
    REQUIRE(database->execute("INSERT INTO t VALUES(1)"));
    return Error{Errc::invalid, "changed my mind"};
  });
  const auto kept =
      database->transaction([&] { return database->execute("INSERT INTO t VALUES(2)"); });

  REQUIRE_FALSE(failed);
  CHECK(failed.error().message == "changed my mind");
  CHECK(kept);
  CHECK(count(*database, "t") == 1);
}

TEST_CASE("a foreign key that fails at commit rolls the transaction back", "[sqlite]") {
  auto database = Database::open_memory();
  REQUIRE(database->execute(
      "CREATE TABLE p(a INTEGER PRIMARY KEY) STRICT;"
      "CREATE TABLE c(a INTEGER REFERENCES p(a) DEFERRABLE INITIALLY DEFERRED) STRICT"));

  const auto failed =
      database->transaction([&] { return database->execute("INSERT INTO c VALUES(1)"); });

  CHECK(failed.error().code == Errc::exists);
  CHECK(count(*database, "c") == 0);
  CHECK(database->transaction([&] { return database->execute("INSERT INTO p VALUES(1)"); }));
}

TEST_CASE("a database file is private, durable and read by a second connection", "[sqlite]") {
  const TemporaryDirectory dir;
  const std::string path = dir.path + "/a.db";
  auto writer = Database::open(path);
  REQUIRE(writer);
  REQUIRE(writer->execute("CREATE TABLE t(a INTEGER) STRICT; INSERT INTO t VALUES(1)"));

  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0600);
  REQUIRE(::stat((path + "-wal").c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0600);
  auto pragma = writer->prepare("PRAGMA synchronous");
  REQUIRE(pragma->step().value());
  CHECK(pragma->integer(0) == 2);  // FULL

  auto reader = Database::open_read_only(path);
  REQUIRE(reader);
  CHECK(count(*reader, "t") == 1);
  CHECK(reader->execute("INSERT INTO t VALUES(2)").error().code == Errc::denied);
  CHECK(Database::open_read_only(dir.path + "/none.db").error().code == Errc::not_found);
  CHECK(writer->check());
}

TEST_CASE("another process that comes and goes takes nothing from an open database", "[sqlite]") {
  const TemporaryDirectory dir;
  const std::string path = dir.path + "/a.db";
  auto first = Database::open(path);
  REQUIRE(first);
  REQUIRE(first->execute("CREATE TABLE t(a INTEGER) STRICT"));
  REQUIRE(Database::open(path));  // A second connection of this process, closed again.

  // As the last connection it would fold the write-ahead log into the file and remove it.
  const pid_t child = ::fork();
  if (child == 0) {
    auto other = Database::open(path);
    const bool written = other && other->execute("INSERT INTO t VALUES(1)");
    if (other) const Database closed = *std::move(other);
    ::_exit(written ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == 0);

  CHECK(file_exists(path + "-wal"));
  REQUIRE(first->execute("INSERT INTO t VALUES(2)"));
  auto reader = Database::open_read_only(path);
  REQUIRE(reader);
  CHECK(count(*reader, "t") == 2);
}

TEST_CASE("a file that is no database is corrupt", "[sqlite]") {
  const TemporaryDirectory dir;
  REQUIRE(write_file_durable(dir.path + "/a.db", std::string(4096, 'x')));

  CHECK(Database::open(dir.path + "/a.db").error().code == Errc::corrupt);
  CHECK(Database::open_read_only(dir.path + "/a.db").error().code == Errc::corrupt);
}

TEST_CASE("an image is read in memory, whole and read-only", "[sqlite]") {
  TemporaryDirectory directory;
  const std::string path = directory.path + "/db";
  REQUIRE(Database::open(path)->execute("CREATE TABLE t(a); INSERT INTO t VALUES(1), (2);"));
  const auto bytes = read_file(path, 1 << 20);
  REQUIRE(bytes);

  auto image = Database::open_image(*bytes);

  REQUIRE(image);
  CHECK(count(*image, "t") == 2);
  CHECK_FALSE(image->execute("INSERT INTO t VALUES(3)"));
  CHECK_FALSE(Database::open_image(""));
  CHECK_FALSE(Database::open_image(std::string(4096, 'x')));
  CHECK_FALSE(Database::open_image(bytes->substr(0, bytes->size() - 1)));
}

TEST_CASE("a database of others is read with its log, and nothing is left beside it", "[sqlite]") {
  const TemporaryDirectory directory;
  const std::string path = directory.path + "/a.db";
  const std::string copy = directory.path + "/copy";
  REQUIRE(::mkdir(copy.c_str(), 0700) == 0);
  {
    auto database = Database::open(path);
    REQUIRE(database->execute("CREATE TABLE t(x); PRAGMA wal_checkpoint(TRUNCATE);"));
    REQUIRE(database->execute("INSERT INTO t VALUES (1)"));
    for (const char* suffix : {"", "-wal", "-shm"}) {
      const auto bytes = read_file(path + suffix, 1 << 20);
      REQUIRE(write_file_durable(copy + "/a.db" + suffix, *bytes));
    }
  }

  {
    auto with_log = Database::open_untouched(copy + "/a.db", true);
    CAPTURE(with_log ? std::string() : with_log.error().message);
    REQUIRE(with_log);
    CHECK(count(*with_log, "t") == 1);
  }
  CHECK(list_directory(copy, 9).value() ==
        std::vector<std::string>{"a.db", "a.db-shm", "a.db-wal"});
  REQUIRE(remove_file(copy + "/a.db-shm"));
  CHECK_FALSE(Database::open_untouched(copy + "/a.db", true));
  REQUIRE(remove_file(copy + "/a.db-wal"));
  {
    auto without = Database::open_untouched(copy + "/a.db", false);
    REQUIRE(without);
    CHECK(count(*without, "t") == 0);
  }
  CHECK(list_directory(copy, 9).value() == std::vector<std::string>{"a.db"});
}
