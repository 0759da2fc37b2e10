// SPDX-License-Identifier: Apache-2.0
// The bounds of a query: the same answer on every machine, whatever SQL it is.
#include <catch2/catch.hpp>

#include "policies/engine/sandbox.h"

namespace vouch::policy {
namespace {

constexpr std::string_view kNow = "2026-06-30T00:00:00Z";

Sandbox opened(const SandboxLimits& limits = {}) {
  auto sandbox = Sandbox::open(limits);
  REQUIRE(sandbox);
  return *std::move(sandbox);
}

Result<QueryResult> run(Sandbox& sandbox, const std::string& sql, const Params& params = {}) {
  return sandbox.query(sql, {}, params, kNow);
}

// 512 KiB of 'a' are `hay.x`; half of it, with a 'b' at its end, is `hay.y`.
const std::string kHay =
    "WITH RECURSIVE grown(n, t) AS (SELECT 0, 'a' UNION ALL SELECT n + 1, t || t FROM grown WHERE "
    "n "
    "< 19), hay(x, y) AS (SELECT max(t), substr(max(t), 1, 262144) || 'b' FROM grown) ";
const std::string kTimes(int count) {
  return "WITH RECURSIVE times(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM times WHERE i < " +
         std::to_string(count) + "), ";
}

}  // namespace

TEST_CASE("a bomb of instructions stops at a bound that does not depend on the machine",
          "[sandbox]") {
  const auto sql = GENERATE(
      as<std::string>{},
      "WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM t) SELECT x FROM t WHERE x < 0",
      "WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM t WHERE x < 99) SELECT count(*) "
      "FROM t a, t b, t c, t d, t e, t f, t g, t h");
  CAPTURE(sql);
  SandboxLimits limits;
  limits.work_max = 1'000'000;
  auto sandbox = opened(limits);

  auto result = run(sandbox, sql);

  REQUIRE_FALSE(result);
  CHECK(result.error().code == Errc::too_large);
  CHECK(result.error().message == "over 1 million units of work");
  CHECK(run(sandbox, "SELECT 1"));
}

TEST_CASE("rows, memory and text are bounded too", "[sandbox]") {
  SandboxLimits limits;
  limits.rows_max = 100;
  limits.memory_bytes_max = 8u << 20;
  auto sandbox = opened(limits);
  const std::string grow =
      "WITH RECURSIVE t(x, y) AS (SELECT 1, "
      "hex(hex(hex(hex('0123456789012345678901234567890123456789'))))"
      " UNION SELECT x+1, y || x FROM t WHERE x < 1000000) ";

  auto rows = run(sandbox,
                  "WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM t WHERE x < 1000) "
                  "SELECT x FROM t");
  auto memory = run(sandbox, grow + "SELECT count(*) FROM t");
  auto text = run(sandbox,
                  "WITH RECURSIVE t(x, y) AS (SELECT 1, 'ab' UNION ALL SELECT x+1, y || y FROM t "
                  "WHERE x < 40) SELECT count(y) FROM t");
  auto like = run(sandbox, "SELECT 'x' LIKE '" + std::string(300, '%') + "'");

  REQUIRE_FALSE(rows);
  CHECK(rows.error().message == "over 100 rows or 64 MiB of result");
  REQUIRE_FALSE(memory);
  CHECK(memory.error().message == "over 8 MiB of memory");
  REQUIRE_FALSE(text);
  CHECK_THAT(text.error().message, Catch::Contains("too big"));
  REQUIRE_FALSE(like);
  CHECK_THAT(like.error().message, Catch::Contains("LIKE or GLOB pattern too complex"));
}

TEST_CASE("memory is that of the query, whatever else the process does with SQLite", "[sandbox]") {
  SandboxLimits limits;
  limits.memory_bytes_max = 4u << 20;
  auto other = opened();
  auto sandbox = opened(limits);
  TableSchema schema;
  schema.name = "t";
  schema.columns.emplace_back();
  schema.columns[0].name = "x";
  schema.columns[0].type = ColumnType::text;
  std::string blob;
  for (int i = 100; i < 200; ++i) {
    blob += "{\"x\":\"" + std::to_string(i) + std::string(60'000, 'x') + "\"}\n";
  }
  const std::vector<std::string> readable{"t"};
  REQUIRE(sandbox.add_table(schema));
  REQUIRE(sandbox.load(schema, blob));  // 6 MB: tables do not count.
  REQUIRE(other.add_table(schema));
  REQUIRE(other.load(schema, blob));

  auto little = sandbox.query("SELECT count(*) AS n FROM t", readable, {}, kNow);
  auto much = sandbox.query("SELECT count(*) AS n FROM (SELECT DISTINCT x || '.' FROM t)", readable,
                            {}, kNow);
  auto again = sandbox.query("SELECT count(*) AS n FROM t", readable, {}, kNow);

  CHECK(little);
  REQUIRE_FALSE(much);
  CHECK(much.error().code == Errc::too_large);
  CHECK(much.error().message == "over 4 MiB of memory");
  CHECK(again);
}

// Each of these took seconds or hours at one instruction for each call.
TEST_CASE("what one instruction does to a long text is work too", "[sandbox]") {
  const auto expression = GENERATE(
      as<std::string>{}, "instr(x, y || i)", "length(replace(x, y, i))", "length(x)",
      "length(trim(x, y || i))", "length(rtrim(x, 'a' || i))",
      "x LIKE '%aaaaaaaaaaaaaaaaaaaab' || i", "x GLOB '*[b-z]' || i",
      "x REGEXP '(a|b){200}c' || (i % 2)", "substr(x, -1 - i, 1)", "length(upper(x))", "x || i = y",
      "max(x || i, x || 'b')", "json_valid('[\"' || x || '\"]')",
      "json_extract('[\"' || substr(x, i) || '\"]', '$[1]')", "version_compare('dpkg', x, x || i)",
      "(SELECT count(*) FROM json_each('[\"' || substr(x, i) || '\"]'))");
  CAPTURE(expression);
  SandboxLimits limits;
  limits.work_max = 3'000'000;
  auto sandbox = opened(limits);
  auto sql = kHay;
  sql.replace(0, 15, kTimes(1'000'000));

  auto result = run(sandbox, sql + "SELECT count(" + expression + ") AS n FROM times, hay");

  REQUIRE_FALSE(result);
  CHECK(result.error().code == Errc::too_large);
  CHECK(result.error().message == "over 3 million units of work");
}

TEST_CASE("one search through a long text is no longer the product of two lengths", "[sandbox]") {
  auto sandbox = opened();

  auto found = run(sandbox, kHay +
                                "SELECT instr(x, y) AS n, length(replace(x, y, '')) AS m, "
                                "length(trim(x, 'bcdefghija')) AS k FROM hay");

  REQUIRE(found);
  CHECK(json::write(found->rows.at(0)) == R"({"k":0,"m":524288,"n":0})");
}

TEST_CASE("the same query over the same tables is the same work", "[sandbox]") {
  // The least bound that it stays under, found twice: in a new sandbox, and after other queries.
  const std::string sql =
      kTimes(50) +
      "t(v) AS (SELECT hex(i) || 'abc' FROM times) SELECT DISTINCT v FROM t WHERE v LIKE '%ab%' "
      "AND json_valid('[' || length(v) || ']') ORDER BY upper(v) DESC";
  const auto passes = [&](std::uint64_t work, std::size_t memory, bool after_others) {
    SandboxLimits limits;
    limits.work_max = work;
    limits.memory_bytes_max = memory;
    auto sandbox = opened(limits);
    if (after_others) {
      for (const auto* other :
           {"SELECT json_extract('[1]', '$[0]') AS a", "SELECT instr('a', 'b')"}) {
        [[maybe_unused]] const auto whatever = run(sandbox, other);
      }
      const bool first = run(sandbox, sql).has_value();
      const bool second = run(sandbox, sql).has_value();
      CHECK(first == second);
    }
    return run(sandbox, sql).has_value();
  };
  const auto least = [&](bool after_others, bool of_memory) {
    std::uint64_t low = 0;
    std::uint64_t high = 1 << 22;
    while (low + 1 < high) {
      const auto middle = (low + high) / 2;
      const bool passed = of_memory ? passes(1'000'000, middle, after_others)
                                    : passes(middle, 1u << 26, after_others);
      (passed ? high : low) = middle;
    }
    return high;
  };

  CHECK(least(false, false) == least(true, false));
  CHECK(least(false, true) == least(true, true));
  CHECK(least(false, false) < 100'000);
}

}  // namespace vouch::policy
