// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/text_functions.h"

#include <catch2/catch.hpp>
#include <random>

#include "core/sqlite.h"
#include "policies/engine/sandbox.h"

namespace vouch::policy {
namespace {

constexpr std::string_view kNow = "2026-06-30T00:00:00Z";

// What SQLite itself makes of it, as text; of an error nothing but that it is one.
std::string plainly(const std::string& expression, const std::vector<std::string>& texts) {
  static auto database = sqlite::Database::open_memory();
  REQUIRE(database);
  auto statement =
      database->prepare("SELECT CAST(" + expression + " AS TEXT), " + expression + " IS NULL");
  if (!statement) return "error";
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (expression.find(":" + std::string(1, static_cast<char>('a' + i))) != std::string::npos) {
      statement->bind(static_cast<int>(i) + 1, texts[i]);
    }
  }
  const auto row = statement->step();
  if (!row || !*row) return "error";
  return statement->integer(1) != 0 ? "null" : "'" + statement->text(0) + "'";
}

std::string in_sandbox(Sandbox& sandbox, const std::string& expression,
                       const std::vector<std::string>& texts) {
  Params params;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    params.emplace(std::string(1, static_cast<char>('a' + i)), texts[i]);
  }
  auto result = sandbox.query("SELECT CAST(" + expression + " AS TEXT) AS x", {}, params, kNow);
  if (!result) return "error";
  const auto& cell = result->rows.at(0).begin()->second;
  return cell.is_null() ? "null" : "'" + *cell.if_string() + "'";
}

std::string random_text(std::mt19937& chance, std::size_t length_max) {
  constexpr std::array<std::string_view, 12> kPieces = {"a", "b", "A", "%", "_", "*",
                                                        "?", "é", "€", " ", "[", "]"};
  std::string text;
  for (auto left = chance() % (length_max + 1); left > 0; --left) {
    text += kPieces[chance() % kPieces.size()];
  }
  return text;
}

}  // namespace

TEST_CASE("our functions of text give what SQLite's give", "[text_functions]") {
  auto sandbox = Sandbox::open();
  REQUIRE(sandbox);
  std::mt19937 chance(20261127);
  const auto expression = GENERATE(
      as<std::string>{}, "instr(:a, :b)", "replace(:a, :b, :c)", "length(:a)", "trim(:a)",
      "ltrim(:a)", "rtrim(:a)", "trim(:a, :b)", "ltrim(:a, :b)", "rtrim(:a, :b)", ":a LIKE :b",
      ":a GLOB :b", ":a LIKE :b ESCAPE '?'", "glob(:a, :b)", "length(NULL)", "length(12)",
      "length(x'00ff')", "instr(x'c3a9', x'a9')", "instr(CAST(x'61a962' AS TEXT), 'b')",
      "instr(CAST(x'61a962' AS TEXT), CAST(x'a9' AS TEXT))", "instr(12345, 34)", "instr(NULL, 'a')",
      "instr('a', NULL)", "instr('', '')", "replace('a', NULL, 'b')", "replace('a', 'a', NULL)",
      "replace('aaa', '', 'b')", "replace(NULL, 'a', 'b')", "trim(NULL)", "trim('a', NULL)",
      "trim(12, 1)", "NULL LIKE 'a'", "'a' LIKE NULL", "x'61' LIKE 'a'", "x'61' GLOB 'a'",
      "'a' LIKE 'A' ESCAPE NULL", "hex(substr(x'010203', 2))", "hex(substr(x'010203', -2, 1))",
      "hex(substr(x'010203', 5, 9))", "substr(NULL, 1)", "substr('a', NULL)",
      "substr('a', 1, NULL)", "substr(12345, 2, 3)", "json_extract('[1,{\"a\":\"x\"}]', '$[1].a')",
      "json_extract('[1,2]', '$[0]', '$[1]')", "json_extract(:a, '$')", "json_valid(:a)",
      "json_valid(NULL)", "json_array_length('[1,2,3]')", "json_array_length('{\"a\":[1]}', '$.a')",
      "json_extract('[', '$')", "json_extract('[1]', 'x')", "json_valid('[1]', 2)");
  CAPTURE(expression);
  for (int i = 0; i < 150; ++i) {
    const std::vector<std::string> texts = {random_text(chance, 12), random_text(chance, 4),
                                            random_text(chance, 3)};
    CAPTURE(texts);
    REQUIRE(in_sandbox(*sandbox, expression, texts) == plainly(expression, texts));
    if (expression.find(":a") == std::string::npos) break;
  }
}

TEST_CASE("our substr takes the part that SQLite's takes", "[text_functions]") {
  auto sandbox = Sandbox::open();
  REQUIRE(sandbox);
  const auto text = GENERATE(as<std::string>{}, "", "a", "aé€b", "hello");
  for (int first = -7; first <= 7; ++first) {
    const auto two = "substr(:a, " + std::to_string(first) + ")";
    CHECK(in_sandbox(*sandbox, two, {text}) == plainly(two, {text}));
    for (int count = -7; count <= 7; ++count) {
      const auto three =
          "substring(:a, " + std::to_string(first) + ", " + std::to_string(count) + ")";
      CAPTURE(three);
      CHECK(in_sandbox(*sandbox, three, {text}) == plainly(three, {text}));
    }
  }
}

TEST_CASE("a pattern is matched as far as its bounds go", "[text_functions]") {
  auto sandbox = Sandbox::open();
  REQUIRE(sandbox);

  CHECK(in_sandbox(*sandbox, "'50%' LIKE '50%%' ESCAPE '%'", {}) == "error");
  CHECK(in_sandbox(*sandbox, "'a_b' LIKE 'a__b' ESCAPE '_'", {}) == "error");
  CHECK(in_sandbox(*sandbox, "'a' LIKE 'a' ESCAPE 'xx'", {}) == "error");
  CHECK(in_sandbox(*sandbox, "'a' GLOB :a", {std::string(257, '*')}) == "error");
  CHECK(in_sandbox(*sandbox, "'a' GLOB :a", {std::string(256, '*')}) == "'1'");
}

}  // namespace vouch::policy
