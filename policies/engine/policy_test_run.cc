// SPDX-License-Identifier: Apache-2.0
// run_policy_tests(): what a check's SQL may do and reads, its tests, and their mutations.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "policies/engine/policy_test.h"
#include "policies/engine/sandbox.h"
#include "policies/engine/test_run.h"

namespace vouch::policy {
namespace {

// A change of a test's tables under which its violations may not vanish unsaid.
struct Mutation {
  std::string name;  // "null T.C", "empty T", "gaps T".
  TestTables tables;
};

class CheckTester {
 public:
  CheckTester(const Check& check, const Pack& pack, const Catalog& catalog,
              PolicyTestReport& report)
      : check_(check), pack_(pack), catalog_(catalog), report_(report) {}

  void run() {
    ++report_.checks;
    if (!inspect()) return;
    for (const auto& test : check_.tests) run(test);
    require_kinds();
  }

 private:
  void problem(const yaml::Mark& mark, std::string message) {
    report_.problems.push_back({fmt::format("{}:{}:{}", pack_.file_name, mark.line, mark.column),
                                check_.id, check_.ref, std::move(message)});
  }

  // Compiles the SQL under the rules of the sandbox and compares what it reads with `tables`.
  bool inspect() {
    auto sandbox = Sandbox::open();
    if (!sandbox) return problem(check_.mark, sandbox.error().message), false;
    for (const auto& name : check_.tables) {
      const auto* schema = find_schema(catalog_.tables, name);
      if (schema == nullptr) {
        return problem(check_.mark, fmt::format("no collector has a table {}", name)), false;
      }
      TableSchema made = *schema;
      made.name = name;
      if (auto added = sandbox->add_table(made); !added) {
        return problem(check_.mark, added.error().message), false;
      }
    }
    if (!inspect(*sandbox, "sql", check_.sql, check_.sql_mark)) return false;
    if (!check_.applies.empty() &&
        !inspect(*sandbox, "applies", check_.applies, check_.applies_mark)) {
      return false;
    }
    for (const auto& name : check_.tables) {
      if (!tables_read_.contains(name)) {
        problem(check_.mark, fmt::format("`tables` names {}, which the SQL does not read", name));
      }
    }
    for (const auto& [name, value] : check_.default_params) {
      if (!parameters_.contains(name)) {
        problem(check_.mark, fmt::format("the SQL does not use the parameter {}", name));
      }
    }
    return true;
  }

  bool inspect(Sandbox& sandbox, std::string_view what, std::string_view sql,
               const yaml::Mark& mark) {
    auto shape = sandbox.inspect(sql, check_.tables);
    if (!shape) {
      problem(mark, fmt::format("{}: {}", what, shape.error().message));
      return false;
    }
    tables_read_.insert(shape->tables.begin(), shape->tables.end());
    columns_read_.insert(shape->columns.begin(), shape->columns.end());
    parameters_.insert(shape->parameters.begin(), shape->parameters.end());
    for (const auto& name : shape->parameters) {
      if (name != "now" && !check_.default_params.contains(name)) {
        problem(mark, fmt::format("{}: :{} is not among `params`", what, name));
      }
    }
    if (shape->limit_without_order) {
      problem(mark, fmt::format("{}: LIMIT without ORDER BY picks rows by chance", what));
    }
    return true;
  }

  void run(const CheckTest& test) {
    ++report_.tests;
    auto tables = complete_tables(test, catalog_);
    if (!tables) return problem(test.mark, tables.error().message);
    auto result = run_test(check_, test, *tables, catalog_);
    if (!result) return problem(test.mark, result.error().message);
    if (auto broken = broken_expectation(test, *result); !broken.empty()) {
      return problem(test.mark, broken);
    }
    kinds_.insert(test.expect_outcome);
    const bool one_is_missing =
        std::any_of(check_.tables.begin(), check_.tables.end(),
                    [&](const auto& name) { return !test.given.contains(name); });
    if (test.expect_outcome == "error" && one_is_missing) kinds_.insert("missing");
    if (test.expect_outcome == "fail") mutate(test, *tables, *result);
    if (test.expect_outcome == "pass" && !check_.tolerates_gaps) forbid_gaps(test, *tables);
  }

  void mutate(const CheckTest& test, const TestTables& tables, const TestResult& original) {
    std::set<std::string> said(test.vanishes.begin(), test.vanishes.end());
    for (const auto& mutation : mutations(tables)) {
      ++report_.mutations;
      auto result = run_test(check_, test, mutation.tables, catalog_);
      if (!result) {
        problem(test.mark, fmt::format("{}: {}", mutation.name, result.error().message));
        continue;
      }
      const auto& outcome = result->outcome;
      // An error hides nothing: it says that nobody can judge.
      const bool vanished =
          outcome.outcome != OutcomeKind::error && outcome.violations < original.outcome.violations;
      if (vanished == (said.erase(mutation.name) > 0)) continue;
      if (vanished) {
        problem(test.mark,
                fmt::format("a violation vanishes with \"{}\": let the query find it, or say "
                            "`vanishes: [\"{}\"]` in this test",
                            mutation.name, mutation.name));
      } else {
        problem(test.mark,
                fmt::format("`vanishes` says \"{}\", but the violation stays", mutation.name));
      }
    }
    for (const auto& name : said) {
      problem(test.mark, fmt::format("`vanishes` says \"{}\", which changes nothing here", name));
    }
  }

  [[nodiscard]] std::vector<Mutation> mutations(const TestTables& tables) const {
    std::vector<Mutation> result;
    for (const auto& [table, column_name] : columns_read_) {
      const auto* schema = find_schema(catalog_.tables, table);
      const auto given = tables.find(table);
      if (schema == nullptr || given == tables.end()) continue;
      const auto* column = schema->find(column_name);
      if (column == nullptr || !column->nullable) continue;
      Mutation mutation{fmt::format("null {}.{}", table, column_name), tables};
      for (auto& row : mutation.tables[table]) row[column_name] = nullptr;
      if (mutation.tables != tables) result.push_back(std::move(mutation));
    }
    for (const auto& [table, rows] : tables) {
      if (rows.empty() || table == check_.tables.front() || !tables_read_.contains(table)) continue;
      Mutation mutation{fmt::format("empty {}", table), tables};
      mutation.tables[table].clear();
      result.push_back(std::move(mutation));
    }
    for (const auto& table : check_.tables) {
      if (built_in_schema(table) == nullptr)
        result.push_back({"gaps " + table, with_gap(tables, table)});
    }
    return result;
  }

  static TestTables with_gap(TestTables tables, const std::string& table) {
    tables["gaps"].push_back({{"table_name", table},
                              {"object", "mutation"},
                              {"code", "permission-denied"},
                              {"message", "not examined"}});
    return tables;
  }

  void forbid_gaps(const CheckTest& test, const TestTables& tables) {
    for (const auto& table : check_.tables) {
      if (built_in_schema(table) != nullptr) continue;
      ++report_.mutations;
      auto result = run_test(check_, test, with_gap(tables, table), catalog_);
      if (!result) {
        problem(test.mark, result.error().message);
      } else if (result->outcome.outcome != OutcomeKind::error) {
        problem(test.mark, fmt::format("with a gap in {} the check is {}, not error", table,
                                       to_string(result->outcome.outcome)));
      }
    }
  }

  void require_kinds() {
    const auto need = [&](const char* kind, std::string_view text) {
      if (!kinds_.contains(kind)) problem(check_.mark, fmt::format("no test {}", text));
    };
    need("pass", "expects a pass");
    need("fail", "expects findings");
    need("missing", "leaves a table out and expects error");
  }

  const Check& check_;
  const Pack& pack_;
  const Catalog& catalog_;
  PolicyTestReport& report_;
  std::set<std::string> tables_read_;
  std::set<std::pair<std::string, std::string>> columns_read_;
  std::set<std::string> parameters_;
  std::set<std::string> kinds_;  // Outcomes that a good test expects; and "missing".
};

}  // namespace

PolicyTestReport run_policy_tests(const PackSet& packs, const Catalog& catalog) {
  PolicyTestReport report;
  for (const auto* check : packs.checks()) {
    CheckTester(*check, *packs.pack_of_check(check->id), catalog, report).run();
  }
  return report;
}

}  // namespace vouch::policy
