// SPDX-License-Identifier: Apache-2.0
// `vouch policy test`: runs the tests that packs carry, and three mutations of each failing test
// that nobody needs to write: each nullable column it reads set to null, each joined table emptied,
// a row of `gaps` for each table. A violation that vanishes so must be expected in the test's
// `vanishes`, or the query hides violations wherever a fact is absent.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "policies/engine/catalog.h"
#include "policies/engine/pack.h"

namespace vouch::policy {

struct PolicyTestProblem {
  std::string where;  // "<file>:<line>:<column>"
  std::string check;
  std::string ref;
  std::string message;
};

struct PolicyTestReport {
  std::size_t checks = 0;
  std::size_t tests = 0;
  std::size_t mutations = 0;
  std::vector<PolicyTestProblem> problems;  // Empty: all is well.
};

// Also refuses a check whose SQL breaks a rule of the sandbox, declares a table that it does not
// read or has no test for pass, for fail and for a missing table.
PolicyTestReport run_policy_tests(const PackSet& packs, const Catalog& catalog);

}  // namespace vouch::policy
