// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/test_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <set>

#include "core/digest.h"

namespace vouch::policy {
namespace {

constexpr std::string_view kNoTime = "1970-01-01T00:00:00Z";

json::Value default_cell(const Column& column) {
  if (column.nullable) return {};
  switch (column.type) {
    case ColumnType::integer:
      return std::int64_t{column.name == "occurrence" ? 1 : 0};
    case ColumnType::boolean:
      return false;
    case ColumnType::time:
      return kNoTime;
    case ColumnType::text:
    case ColumnType::bytes:
      break;
  }
  return "";
}

// What the cell should be; empty: it is.
std::string_view wrong_type(const Column& column, const json::Value& cell) {
  if (cell.is_null()) return column.nullable ? "" : "a value: it is not nullable";
  switch (column.type) {
    case ColumnType::integer:
      return cell.if_integer() ? "" : "an integer";
    case ColumnType::boolean:
      return cell.if_bool() ? "" : "true or false";
    case ColumnType::time:
      return cell.if_string() ? "" : "a time such as 2026-11-21T19:30:00Z";
    case ColumnType::text:
    case ColumnType::bytes:
      return cell.if_string() ? "" : "a text: put it in quotes";
  }
  return "";
}

std::string blob_of(const std::vector<json::Object>& rows) {
  std::set<std::string> lines;
  for (const auto& row : rows) lines.insert(json::write(row) + "\n");
  std::string blob;
  for (const auto& line : lines) blob += line;
  return blob;
}

// Findings have 1 and 0 where an expectation may say true and false.
bool equal_cells(const json::Value& expected, const json::Value& found) {
  if (const auto* boolean = expected.if_bool()) return found == json::Value(*boolean ? 1 : 0);
  return expected == found;
}

bool matches(const json::Object& expected, const json::Object& finding) {
  return std::all_of(expected.begin(), expected.end(), [&](const auto& cell) {
    const auto found = finding.find(cell.first);
    return found != finding.end() && equal_cells(cell.second, found->second);
  });
}

std::string rows_text(const std::vector<json::Object>& rows) {
  std::string text;
  for (const auto& row : rows) text += (text.empty() ? "" : " ") + json::write(row);
  return text.empty() ? "none" : text;
}

// Each expectation must have a finding of its own; the most demanding one chooses first.
bool all_found(std::vector<json::Object> expected, std::vector<json::Object> findings) {
  std::stable_sort(expected.begin(), expected.end(),
                   [](const auto& a, const auto& b) { return a.size() > b.size(); });
  for (const auto& row : expected) {
    const auto found = std::find_if(findings.begin(), findings.end(),
                                    [&](const auto& each) { return matches(row, each); });
    if (found == findings.end()) return false;
    findings.erase(found);
  }
  return findings.empty();
}

}  // namespace

Result<TestTables> complete_tables(const CheckTest& test, const Catalog& catalog) {
  TestTables tables;
  for (const auto& [name, rows] : test.given) {
    const auto* schema = find_schema(catalog.tables, name);
    if (schema == nullptr) {
      return Error{Errc::invalid, fmt::format("given: there is no table {}", name)};
    }
    auto& completed = tables[name];
    for (const auto& row : rows) {
      json::Object whole;
      for (const auto& column : schema->columns) whole[column.name] = default_cell(column);
      for (const auto& [cell_name, cell] : row) {
        const auto* column = schema->find(cell_name);
        if (column == nullptr) {
          return Error{Errc::invalid,
                       fmt::format("given: table {} has no column {}", name, cell_name)};
        }
        if (const auto wanted = wrong_type(*column, cell); !wanted.empty()) {
          return Error{Errc::invalid, fmt::format("given: {}.{} is {}, but must be {}", name,
                                                  cell_name, json::write(cell), wanted)};
        }
        whole[cell_name] = cell;
      }
      completed.push_back(std::move(whole));
    }
  }
  return tables;
}

Result<TestResult> run_test(const Check& check, const CheckTest& test, const TestTables& tables,
                            const Catalog& catalog) {
  Check judged = check;
  judged.tests.clear();
  judged.params = check.default_params;
  for (const auto& [name, value] : test.params) {
    if (!judged.params.contains(name)) {
      return Error{Errc::invalid, fmt::format("params: the check has no parameter {}", name)};
    }
    judged.params[name] = value;
  }
  Control control;
  control.id = check.control;
  control.checks.push_back(std::move(judged));
  std::vector<Pack> packs(1);
  packs.front().controls.push_back(std::move(control));
  auto set = PackSet::make(std::move(packs));
  if (!set) return std::move(set).error();

  std::deque<std::string> blobs;
  const auto input = [&](const std::string& name, std::string blob) {
    blobs.push_back(std::move(blob));
    return TableInput{name, "", sha256_hex(blobs.back()), "", blobs.back()};
  };
  SchemaMap schemas;
  for (const auto& name : check.tables) {
    if (const auto* schema = find_schema(catalog.tables, name))
      schemas.emplace(schema->name, *schema);
  }
  EvaluationRequest request;
  request.collector = "test";
  request.now = test.now;
  request.inputs.push_back(input("columns", columns_blob(schemas)));
  if (!tables.contains("gaps")) request.tables.push_back(input("gaps", ""));
  for (const auto& [name, rows] : tables) {
    const bool observed = name == "gaps" || built_in_schema(name) == nullptr;
    (observed ? request.tables : request.inputs).push_back(input(name, blob_of(rows)));
  }
  const auto& judging = check.tables.front();
  if (!tables.contains(judging)) request.tables.push_back({judging, "", "", "not-found", ""});

  auto evaluation = evaluate(*set, request, nullptr);
  if (!evaluation) return std::move(evaluation).error();
  TestResult result;
  result.outcome = evaluation->outcomes.at(0);
  if (!result.outcome.findings) return result;
  auto read = for_each_row(evaluation->findings.at(*result.outcome.findings),
                           [&](const json::Value& row) -> Status {
                             result.findings.push_back(*row.if_object());
                             return Ok{};
                           });
  if (!read) return std::move(read).error();
  return result;
}

std::string broken_expectation(const CheckTest& test, const TestResult& result) {
  const auto outcome = to_string(result.outcome.outcome);
  if (outcome != test.expect_outcome) {
    std::string detail = result.outcome.message;
    if (result.outcome.outcome == OutcomeKind::fail) detail = rows_text(result.findings);
    return fmt::format("expected {}, got {}{}{}", test.expect_outcome, outcome,
                       detail.empty() ? "" : ": ", detail);
  }
  if (test.expect_outcome == "fail" && !all_found(test.expect_rows, result.findings)) {
    return fmt::format("expected the findings {}, got {}", rows_text(test.expect_rows),
                       rows_text(result.findings));
  }
  return {};
}

}  // namespace vouch::policy
