// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/sandbox.h"

#include <catch2/catch.hpp>

#include "policies/engine/sandbox_rules.h"

namespace vouch::policy {
namespace {

TableSchema users_schema() {
  TableSchema schema;
  schema.name = "users";
  schema.key = {"username"};
  for (const auto& [name, type] :
       {std::pair{"username", ColumnType::text}, std::pair{"uid", ColumnType::integer},
        std::pair{"can_login", ColumnType::boolean}, std::pair{"expire", ColumnType::time}}) {
    Column column;
    column.name = name;
    column.type = type;
    column.nullable = std::string_view(name) == "expire";
    schema.columns.push_back(column);
  }
  return schema;
}

constexpr std::string_view kUsers =
    R"({"can_login":false,"expire":"2026-01-01T00:00:00Z","uid":"9007199254740993","username":"big"}
{"can_login":true,"expire":null,"uid":0,"username":"root"}
{"can_login":true,"expire":null,"uid":1000,"username":"zo\u0001\"ë"}
)";

const std::vector<std::string> kReadable{"users"};

Sandbox loaded(const SandboxLimits& limits = {}) {
  auto sandbox = Sandbox::open(limits);
  REQUIRE(sandbox);
  REQUIRE(sandbox->add_table(users_schema()));
  REQUIRE(sandbox->load(users_schema(), kUsers));
  auto secret = users_schema();
  secret.name = "undeclared";
  REQUIRE(sandbox->add_table(secret));
  return *std::move(sandbox);
}

Result<QueryResult> run(std::string_view sql, const Params& params = {}) {
  auto sandbox = loaded();
  return sandbox.query(sql, kReadable, params, "2026-06-30T00:00:00Z");
}

std::string only_cell(std::string_view sql) {
  auto result = run(sql);
  INFO(sql);
  if (!result) FAIL(result.error().message);
  REQUIRE(result->rows.size() == 1);
  return json::write(result->rows[0].begin()->second);
}

}  // namespace

TEST_CASE("a query reads the declared tables and gives typed cells", "[sandbox]") {
  auto result = run("SELECT username, uid, can_login, expire FROM users ORDER BY uid");

  REQUIRE(result);
  REQUIRE(result->rows.size() == 3);
  CHECK(json::write(result->rows[0]) ==
        R"({"can_login":1,"expire":null,"uid":0,"username":"root"})");
  CHECK(json::write(result->rows[1]) ==
        R"({"can_login":1,"expire":null,"uid":1000,"username":"zo\u0001\"ë"})");
  CHECK(
      json::write(result->rows[2]) ==
      R"({"can_login":0,"expire":"2026-01-01T00:00:00Z","uid":"9007199254740993","username":"big"})");
}

TEST_CASE("hostile SQL is refused by the rule that it breaks", "[sandbox]") {
  struct Hostile {
    const char* sql;
    const char* reason;
  };
  const auto hostile = GENERATE(values<Hostile>({
      {"ATTACH '/etc/passwd' AS x", "ATTACH is not allowed"},
      {"PRAGMA writable_schema=1", "PRAGMA is not allowed"},
      {"SELECT * FROM pragma_function_list", "a table of SQLite's own"},
      {"SELECT count(*) FROM pragma_database_list", "a table of SQLite's own"},
      {"SELECT * FROM sqlite_schema", "table sqlite_master is not among"},
      {"SELECT count(*) FROM sqlite_schema", "table sqlite_schema is not among"},
      {"SELECT load_extension('x')", "function load_extension is not on the list"},
      {"SELECT random()", "function random is not on the list"},
      {"SELECT randomblob(9)", "function randomblob is not on the list"},
      {"SELECT datetime('now')", "function datetime is not on the list"},
      {"SELECT CURRENT_TIMESTAMP", "function current_timestamp is not on the list"},
      {"SELECT strftime('%s','now')", "function strftime is not on the list"},
      {"SELECT changes()", "function changes is not on the list"},
      {"SELECT last_insert_rowid()", "function last_insert_rowid is not on the list"},
      {"SELECT sqlite_version()", "function sqlite_version is not on the list"},
      {"SELECT avg(uid) FROM users", "function avg is not on the list"},
      {"SELECT total(uid) FROM users", "function total is not on the list"},
      {"SELECT round(1)", "function round is not on the list"},
      {"SELECT sqrt(2)", "function sqrt is not on the list"},
      {"SELECT printf('%d', 1)", "function printf is not on the list"},
      {"SELECT group_concat(username) FROM users", "function group_concat is not on the list"},
      {"SELECT row_number() OVER () FROM users", "function row_number is not on the list"},
      {"SELECT zeroblob(1000000000)", "function zeroblob is not on the list"},
      {"SELECT rowid FROM users", "rowid of users"},
      {"SELECT username FROM users ORDER BY _rowid_", "rowid of users"},
      {"SELECT uid FROM undeclared", "table undeclared is not among"},
      {"SELECT count(*) FROM undeclared", "a table that the check does not declare"},
      {"SELECT 1 FROM dbstat", "a table of SQLite's own"},
      {"SELECT key FROM json_tree('{}')", "a table of SQLite's own"},
      {"SELECT 1 FROM json_tree('{}')", "a table of SQLite's own"},
      {"SELECT 1.5", "floating-point"},
      {"SELECT 1e3", "floating-point"},
      {"SELECT 9223372036854775808", "floating-point"},
      {"SELECT uid FROM users WHERE uid > 0.5", "floating-point"},
      {"SELECT CAST(uid AS REAL) FROM users", "floating-point"},
      {"SELECT CAST(username AS NUMERIC) FROM users", "floating-point"},
      {"INSERT INTO users VALUES (1,2,3,4)", "writing is not allowed"},
      {"UPDATE users SET uid = 0", "writing is not allowed"},
      {"DELETE FROM users", "writing is not allowed"},
      {"DROP TABLE users", "not allowed"},
      {"CREATE TABLE t(x)", "not allowed"},
      {"CREATE TEMP VIEW v AS SELECT 1", "not allowed"},
      {"VACUUM INTO '/tmp/x'", "not a SELECT"},
      {"BEGIN", "a transaction is not allowed"},
      {"EXPLAIN SELECT 1", "not a SELECT"},
      {"SELECT 1; SELECT 2", "more than one statement"},
      {"SELECT 1; DELETE FROM users", "more than one statement"},
      {"REINDEX", "not a SELECT"},
      {"ANALYZE", "not allowed"},
  }));
  CAPTURE(hostile.sql);

  auto result = run(hostile.sql);

  REQUIRE_FALSE(result);
  CHECK(result.error().code == Errc::denied);
  CHECK_THAT(result.error().message, Catch::Contains(hostile.reason));
}

TEST_CASE("SQL that is not valid says why", "[sandbox]") {
  struct Invalid {
    const char* sql;
    const char* reason;
  };
  const auto invalid = GENERATE(values<Invalid>({
      {"", "there is no SQL"},
      {"-- nothing", "there is no SQL"},
      {"SELEC 1", "syntax error"},
      {"SELECT nope FROM users", "no such column: nope"},
      {"SELECT username FROM \"nobody\"", "no such table"},
      {"SELECT \"text\" FROM users", "no such column"},
      {"SELECT 1 AS a, 2 AS a", "two result columns"},
      {"SELECT ?1", "parameters are written :name"},
      {"SELECT :unknown", "parameter :unknown is not among"},
      {"SELECT length(", "incomplete input"},
  }));
  CAPTURE(invalid.sql);

  auto result = run(invalid.sql);

  REQUIRE_FALSE(result);
  CHECK(result.error().code == Errc::invalid);
  CHECK_THAT(result.error().message, Catch::Contains(invalid.reason));
}

TEST_CASE("what becomes a float, a blob or no text while it runs is an error", "[sandbox]") {
  const auto sql = GENERATE(
      as<std::string>{}, "SELECT 9223372036854775807 + uid FROM users WHERE uid = 1000",
      "SELECT '1.5' + 1", "SELECT '1' * '2.5'", "SELECT x'00ff'", "SELECT CAST(x'ff' AS TEXT)",
      "SELECT char(0)", "SELECT char(55296)", "SELECT json_extract('{\"a\":1.5}', '$.a')");
  CAPTURE(sql);

  auto result = run(sql);

  REQUIRE_FALSE(result);
  CHECK(result.error().code == Errc::invalid);
  CHECK_THAT(result.error().message, Catch::Contains("of the result is"));
}

TEST_CASE("WITH, json_each, subqueries and joins work", "[sandbox]") {
  Params params;
  params.emplace("names", json::Array{"root", "bob"});

  auto with =
      run("WITH a AS (SELECT 1), b AS (SELECT uid FROM users) SELECT (SELECT count(*) FROM a) "
          "AS x, (SELECT count(*) FROM b) AS y");
  auto list = run(
      "SELECT username FROM users WHERE username IN (SELECT value FROM json_each(:names))", params);
  auto exists = run("SELECT 1 AS found FROM users u WHERE EXISTS (SELECT 1 FROM json_each('[1]'))");

  REQUIRE(with);
  CHECK(json::write(with->rows[0]) == R"({"x":1,"y":3})");
  REQUIRE(list);
  CHECK(list->rows.size() == 1);
  REQUIRE(exists);
  CHECK(exists->rows.size() == 3);
}

TEST_CASE("our functions compute what their names say", "[sandbox]") {
  CHECK(only_cell("SELECT days_between('2026-01-01T00:00:00Z', '2026-01-02T23:59:59Z')") == "1");
  CHECK(only_cell("SELECT days_between('2026-01-02T00:00:00Z', '2026-01-01T23:59:59Z')") == "-1");
  CHECK(only_cell("SELECT days_between('2026-01-02T00:00:00Z', '2026-01-01T00:00:00Z')") == "-1");
  CHECK(only_cell("SELECT days_between(NULL, :now)") == "null");
  CHECK(only_cell("SELECT seconds_between('2026-06-29T23:59:59Z', :now)") == "1");
  CHECK(only_cell("SELECT 'abc' REGEXP 'b+'") == "1");
  CHECK(only_cell("SELECT regexp('^b', 'abc')") == "0");
  CHECK(only_cell("SELECT regexp('é', 'café')") == "1");
  CHECK(only_cell("SELECT cidr_contains('10.0.0.0/8', '10.255.0.1')") == "1");
  CHECK(only_cell("SELECT cidr_contains('10.0.0.0/9', '10.128.0.1')") == "0");
  CHECK(only_cell("SELECT cidr_contains('0.0.0.0/0', '1.2.3.4')") == "1");
  CHECK(only_cell("SELECT cidr_contains('2001:db8::/33', '2001:db8:7fff::1')") == "1");
  CHECK(only_cell("SELECT cidr_contains('2001:db8::/33', '2001:db8:8000::1')") == "0");
  CHECK(only_cell("SELECT cidr_contains('10.0.0.1', '10.0.0.1')") == "1");
  CHECK(only_cell("SELECT cidr_contains('10.0.0.0/8', '::1')") == "0");
  CHECK(only_cell("SELECT cidr_contains('10.0.0.0/8', '*')") == "null");
  CHECK(only_cell("SELECT version_compare('dpkg', '1.0~rc1', '1.0')") == "-1");
  CHECK(only_cell("SELECT version_compare('rpm', '1.10', '1.9')") == "1");
  CHECK(only_cell("SELECT abs(-5)") == "5");
  CHECK(only_cell("SELECT sum(uid) FROM users WHERE uid < 2000") == "1000");
  CHECK(only_cell("SELECT sum(uid) FROM users WHERE uid < 0") == "null");
}

TEST_CASE("a function that cannot answer is an error, never a guess", "[sandbox]") {
  const auto sql = GENERATE(
      as<std::string>{}, "SELECT days_between('2026-01-01', :now)", "SELECT regexp('(', 'x')",
      "SELECT cidr_contains('10.0.0.0/33', '10.0.0.1')",
      "SELECT cidr_contains('10.0.0.0/8x', '10.0.0.1')", "SELECT version_compare('deb', '1', '2')",
      "SELECT abs('x')", "SELECT abs(-9223372036854775807 - 1)", "SELECT sum(username) FROM users",
      "SELECT sum(9223372036854775807) FROM users");
  CAPTURE(sql);

  auto result = run(sql);

  REQUIRE_FALSE(result);
  CHECK(result.error().code == Errc::invalid);
}

TEST_CASE("inspect() says what a query reads, binds and returns", "[sandbox]") {
  auto sandbox = loaded();

  auto shape = sandbox.inspect(
      "SELECT username AS name FROM users WHERE uid > :least AND expire < :now LIMIT 1", kReadable);

  REQUIRE(shape);
  CHECK(shape->tables == std::vector<std::string>{"users"});
  CHECK(shape->columns == std::vector<std::pair<std::string, std::string>>{
                              {"users", "expire"}, {"users", "uid"}, {"users", "username"}});
  CHECK(shape->parameters == std::vector<std::string>{"least", "now"});
  CHECK(shape->result_columns == std::vector<std::string>{"name"});
  CHECK(shape->limit_without_order);
  CHECK_FALSE(has_limit_without_order("SELECT 'limit' -- limit\n FROM t"));
  CHECK_FALSE(has_limit_without_order("SELECT 1 FROM t ORDER BY x LIMIT 2"));
}

TEST_CASE("a table blob that is not canonical is refused with its line", "[sandbox]") {
  const std::string good = R"({"can_login":true,"expire":null,"uid":0,"username":"a"})";
  const auto bad =
      GENERATE(as<std::string>{}, R"({"can_login":true,"expire":null,"uid":0,"username":"b"})",
               R"({"can_login":true,"expire":null,"uid":0,"username":"a"})"
               "\n",
               R"({"can_login":1,"expire":null,"uid":0,"username":"b"})"
               "\n",
               R"({"can_login":true,"expire":null,"uid":"0","username":"b"})"
               "\n",
               R"({"can_login":true,"expire":null,"uid":"09007199254740993","username":"b"})"
               "\n",
               R"({"can_login":true,"expire":null,"uid":9007199254740993,"username":"b"})"
               "\n",
               R"({"can_login":true,"expire":null,"uid":-0,"username":"b"})"
               "\n",
               R"({"can_login":true,"expire":null,"uid":01,"username":"b"})"
               "\n",
               R"({"can_login":true,"expire":null,"uid":1.0,"username":"b"})"
               "\n",
               R"({"can_login":true,"expire":"2026-01-01","uid":0,"username":"b"})"
               "\n",
               R"({"can_login":true,"expire":null,"uid":0,"username":null})"
               "\n",
               R"({"can_login":true,"expire":null,"uid":0,"username":"\u0041"})"
               "\n",
               R"({"can_login":true,"expire":null,"uid":0,"username":"\u000a"})"
               "\n",
               R"({"can_login":true,"expire":null,"uid":0,"username":"\/"})"
               "\n",
               R"({"can_login":true,"expire":null,"uid":0})"
               "\n",
               R"({"can_login":true,"expire":null,"uid":0,"username":"b","x":1})"
               "\n",
               R"({"can_login":true, "expire":null,"uid":0,"username":"b"})"
               "\n",
               R"({"can_login":true,"expire":null,"uid":0,"username":"b"}x)"
               "\n",
               "\n", "{\"can_login\":true,\"expire\":null,\"uid\":0,\"username\":\"b\tb\"}\n");
  CAPTURE(bad);
  auto sandbox = Sandbox::open();
  REQUIRE(sandbox);
  REQUIRE(sandbox->add_table(users_schema()));

  auto result = sandbox->load(users_schema(), good + "\n" + bad);

  REQUIRE_FALSE(result);
  CHECK(result.error().code == Errc::invalid);
  CHECK_THAT(result.error().message, Catch::Contains("line 2"));
}

}  // namespace vouch::policy
