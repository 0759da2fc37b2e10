// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/pack_parts.h"

#include <fmt/format.h>

#include "policies/engine/yaml_fields.h"
#include "proto/names.h"

namespace vouch::policy {
namespace {

constexpr std::size_t kTestRowsMax = 1000;
constexpr std::string_view kDefaultNow = "2026-01-01T00:00:00Z";

Result<std::vector<json::Object>> load_rows(std::string_view file_name, const yaml::Node& node) {
  if (node.kind != yaml::Node::Kind::sequence || node.items.size() > kTestRowsMax) {
    return yaml::error_at(file_name, node, "expected a list of rows, at most 1,000");
  }
  std::vector<json::Object> rows;
  for (const auto& item : node.items) {
    auto cells = read_cells(file_name, item);
    if (!cells) return std::move(cells).error();
    rows.push_back(*std::move(cells));
  }
  return rows;
}

Status load_expectation(std::string_view file_name, const yaml::Node& node, CheckTest& test) {
  if (node.kind == yaml::Node::Kind::scalar) {
    for (const std::string_view word : {"pass", "error", "not_applicable", "waived"}) {
      if (node.scalar == word) test.expect_outcome = word;
    }
    if (test.expect_outcome.empty()) {
      return yaml::error_at(file_name, node,
                            "expect is pass, error, not_applicable, waived, or a list of findings");
    }
    return Ok{};
  }
  auto rows = load_rows(file_name, node);
  if (!rows) return std::move(rows).error();
  test.expect_rows = *std::move(rows);
  test.expect_outcome = test.expect_rows.empty() ? "pass" : "fail";
  return Ok{};
}

}  // namespace

Result<CheckTest> load_check_test(std::string_view file_name, const yaml::Node& node) {
  YamlFields fields(file_name, node, {"name", "given", "params", "now", "expect", "vanishes"});
  CheckTest test;
  test.mark = node.mark;
  test.name = fields.text_or("name", "");
  test.now = fields.second_or("now", kDefaultNow);
  test.vanishes = fields.texts("vanishes", kTestRowsMax);
  const auto* given = fields.mapping("given");
  const auto* expect = fields.find("expect");
  if (given == nullptr) fields.fail(node, "\"given\" is missing");
  if (expect == nullptr) fields.fail(node, "\"expect\" is missing");
  if (!fields.ok()) return std::move(fields.status()).error();

  for (const auto& [key, value] : given->members) {
    if (!is_plain_name(key.scalar)) return yaml::error_at(file_name, key, "no name of a table");
    auto rows = load_rows(file_name, value);
    if (!rows) return std::move(rows).error();
    test.given.emplace(key.scalar, *std::move(rows));
  }
  if (const auto* params = fields.find("params")) {
    auto loaded = load_params(file_name, *params);
    if (!loaded) return std::move(loaded).error();
    test.params = *std::move(loaded);
  }
  auto expected = load_expectation(file_name, *expect, test);
  if (!expected) return std::move(expected).error();
  return test;
}

}  // namespace vouch::policy
