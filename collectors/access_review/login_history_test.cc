// SPDX-License-Identifier: Apache-2.0
// Logins of the databases of newer releases; sqlite3(1) makes them as their programs do.
#include "collectors/access_review/login_history.h"

#include <catch2/catch.hpp>

#include "collectors/access_review/access_review.h"
#include "collectors/sdk/testing.h"
#include "core/file.h"
#include "core/sqlite.h"

using namespace vouch;
using namespace vouch::access;
using sdk::TestTree;

namespace {

constexpr const char* kWtmpdb =
    "CREATE TABLE IF NOT EXISTS wtmp(ID INTEGER PRIMARY KEY, Type INTEGER, User TEXT NOT NULL, "
    "Login INTEGER, Logout INTEGER, TTY TEXT, RemoteHost TEXT, Service TEXT) STRICT;"
    "INSERT INTO wtmp(Type, User, Login) VALUES (1, 'reboot', 1700000300000000),"
    "(3, 'ann', 1700000000000000), (3, 'ann', 1700000100999999), (3, 'bob', 1600000000000000);";
constexpr const char* kLastlog2 =
    "CREATE TABLE IF NOT EXISTS Lastlog2(Name TEXT PRIMARY KEY, Time INTEGER, TTY TEXT, "
    "RemoteHost TEXT, Service TEXT);"
    "INSERT INTO Lastlog2 VALUES('bob', 1700000200, 'pts/0', '10.0.0.9', 'sshd');";

// The bytes of a database that these statements make.
std::string database(const std::string& sql) {
  TestTree tree;
  const std::string path = tree.path() + "/db";
  {
    auto made = sqlite::Database::open(path);
    REQUIRE(made);
    REQUIRE(made->execute("PRAGMA journal_mode=DELETE;" + sql));
  }
  auto bytes = read_file(path, 64 << 20);
  REQUIRE(bytes);
  return *std::move(bytes);
}

sdk::TestAnswer collect(const TestTree& tree) {
  auto answer = sdk::run_collector(make_access_review(), tree.path(), {.tables = {"last_logins"}});
  CHECK(answer.violation == "");
  return answer;
}

void make_accounts(TestTree& tree) {
  tree.file("/etc/passwd",
            "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/h:/bin/sh\nbob:x:1001:1:::/bin/sh\n");
}

}  // namespace

TEST_CASE("logins of wtmpdb and lastlog2 count like those of wtmp", "[logins]") {
  TestTree tree;
  make_accounts(tree);
  tree.file("/var/lib/wtmpdb/wtmp.db", database(kWtmpdb));
  tree.file("/var/lib/lastlog/lastlog2.db", database(kLastlog2));
  tree.directory("/var/log/lastlog");

  const auto answer = collect(tree);

  CHECK(answer.tables.at("gaps").empty());
  CHECK(answer.cell("last_logins", "username", "ann", "last_login") == "2023-11-14T22:15:00Z");
  CHECK(answer.cell("last_logins", "username", "ann", "source") == "wtmpdb");
  CHECK(answer.cell("last_logins", "username", "bob", "last_login") == "2023-11-14T22:16:40Z");
  CHECK(answer.cell("last_logins", "username", "bob", "source") == "lastlog2");
  CHECK(answer.cell("last_logins", "username", "root", "last_login") == "null");
  CHECK(answer.cell("last_logins", "username", "root", "source") == "wtmpdb lastlog2");
  CHECK(answer.raw.find("10.0.0.9") == std::string::npos);
}

TEST_CASE("a database that is none, a programme or a part is a gap", "[logins]") {
  CHECK_FALSE(parse_login_database("SQLite format 3", "wtmpdb"));
  CHECK_FALSE(parse_login_database(std::string(100'000, 'x'), "wtmpdb"));
  // Cut in a page, and between two.
  CHECK_FALSE(parse_login_database(database(kWtmpdb).substr(0, 5000), "wtmpdb"));
  CHECK_FALSE(parse_login_database(database(kWtmpdb).substr(0, 4096), "wtmpdb"));
  CHECK_FALSE(parse_login_database(database("CREATE TABLE t(a)"), "wtmpdb"));
  CHECK_FALSE(parse_login_database(database("CREATE TABLE wtmp(User)"), "wtmpdb"));
  const auto view = parse_login_database(
      database("CREATE VIEW wtmp(User, Login, Type) AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL "
               "SELECT n + 1 FROM r) SELECT 'x', n, 3 FROM r"),
      "wtmpdb");
  REQUIRE_FALSE(view);
  CHECK(view.error().message == "has no table of logins");

  CHECK_FALSE(parse_login_database(
      database("CREATE VIRTUAL TABLE wtmp USING fts5(User, Login, Type)"), "wtmpdb"));

  TestTree tree;
  make_accounts(tree);
  tree.file("/var/lib/wtmpdb/wtmp.db", database(kWtmpdb).substr(0, 5000));
  tree.file("/var/lib/lastlog/lastlog2.db", "").file("/var/lib/wtmpdb/wtmp.db-wal", "log");
  const auto answer = collect(tree);

  CHECK(answer.has_gap("last_logins", "/var/lib/wtmpdb/wtmp.db"));
  CHECK(answer.has_gap("last_logins", "/var/lib/wtmpdb/wtmp.db-wal"));
}

TEST_CASE("a pipe in the place of a database is an error of the table", "[logins]") {
  TestTree tree;
  make_accounts(tree);
  tree.fifo("/var/lib/wtmpdb/wtmp.db");

  CHECK_THAT(collect(tree).errors.at("last_logins"), Catch::StartsWith("parse-error"));
}

TEST_CASE("a database in WAL mode is read without its log", "[logins]") {
  std::string bytes = database(kWtmpdb);
  bytes[18] = 2;
  bytes[19] = 2;

  const auto logins = parse_login_database(bytes, "wtmpdb");

  REQUIRE(logins);
  CHECK(logins->size() == 3);
}
