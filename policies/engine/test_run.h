// SPDX-License-Identifier: Apache-2.0
// One run of one test of one check: the rows of the test as tables, judged by evaluate().
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "policies/engine/catalog.h"
#include "policies/engine/evaluate.h"
#include "policies/engine/pack.h"

namespace vouch::policy {

using TestTables = std::map<std::string, std::vector<json::Object>, std::less<>>;

// The rows of the test, with the cells that they leave out. Errc::invalid names table and column.
Result<TestTables> complete_tables(const CheckTest& test, const Catalog& catalog);

struct TestResult {
  Outcome outcome;
  std::vector<json::Object> findings;
};

// Judges `check`, with its pack's own parameters and the test's, over the tables. Those that the
// check declares and `tables` lacks are missing.
Result<TestResult> run_test(const Check& check, const CheckTest& test, const TestTables& tables,
                            const Catalog& catalog);

// Why the result is not what the test expects; empty: it is.
std::string broken_expectation(const CheckTest& test, const TestResult& result);

}  // namespace vouch::policy
