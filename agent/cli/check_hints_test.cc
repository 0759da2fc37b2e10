// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/check_hints.h"

#include <catch2/catch.hpp>

#include <string>
#include <utility>
#include <vector>

namespace vouch::cli {
namespace {

std::string hints(std::vector<std::string> messages) {
  std::vector<Outcome> outcomes;
  for (auto& message : messages) {
    Outcome outcome;
    outcome.outcome = OutcomeKind::error;
    outcome.message = std::move(message);
    outcomes.push_back(std::move(outcome));
  }
  return hints_as_text(outcomes, {});
}

TEST_CASE("who lacks a baseline is told how to approve one", "[cli]") {
  const auto text = hints({"missing: baseline_groups (not-found), drift (not-found)",
                           "missing: baseline_users (not-found), drift (not-found)",
                           "missing: update_ages (not-supported)"});

  CHECK_THAT(text, Catch::Contains("2 checks compare with an approved state"));
  CHECK_THAT(text, Catch::Contains("groups, users"));
  CHECK_THAT(text, Catch::Contains("vouch baseline approve"));
  CHECK_THAT(text, !Catch::Contains("registers.md"));
}

TEST_CASE("who keeps no register is told where to read of it", "[cli]") {
  const auto text = hints({"missing: register_changes (not-found)"});

  CHECK_THAT(text, Catch::Contains("1 check reads a list that the site keeps"));
  CHECK_THAT(text, Catch::Contains("changes"));
}

TEST_CASE("nothing is said of what nobody here can mend", "[cli]") {
  CHECK(hints({"missing: baseline_users (too-large)", "sql: no such column", "", "baseline_"}) ==
        "");
}

}  // namespace
}  // namespace vouch::cli
