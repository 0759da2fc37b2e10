// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/check_hints.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "agent/cli/rows.h"

namespace vouch::cli {
namespace {

struct Cause {
  std::set<std::string> names;  // What follows the prefix.
  int checks = 0;
};

// Reads "missing: baseline_users (not-found), drift (not-found)" as the engine writes it.
Cause find_absent(const std::vector<Outcome>& outcomes, std::string_view prefix) {
  constexpr std::string_view kAbsent = " (not-found)";
  Cause cause;
  for (const auto& outcome : outcomes) {
    if (outcome.outcome != OutcomeKind::error) continue;
    const std::string_view message = outcome.message;
    bool found = false;
    for (auto at = message.find(prefix); at != message.npos; at = message.find(prefix, at + 1)) {
      const auto end = message.find(' ', at);
      if (message.substr(std::min(end, message.size())).starts_with(kAbsent)) {
        cause.names.emplace(message.substr(at + prefix.size(), end - at - prefix.size()));
        found = true;
      }
    }
    cause.checks += found ? 1 : 0;
  }
  return cause;
}

std::string_view checks_do(int count, std::string_view one, std::string_view many) {
  return count == 1 ? one : many;
}

}  // namespace

std::string hints_as_text(const std::vector<Outcome>& outcomes, const TerminalStyle& style) {
  std::string text;
  if (const auto cause = find_absent(outcomes, "baseline_"); cause.checks > 0) {
    text += wrapped(
        fmt::format("{} {} with an approved state, and here is none of: {}. Approve what the "
                    "daemon observes with `vouch baseline approve TABLE --reason WHY`; it judges "
                    "them from then on.",
                    cause.checks, checks_do(cause.checks, "check compares", "checks compare"),
                    fmt::join(cause.names, ", ")),
        "", style);
  }
  if (const auto cause = find_absent(outcomes, "register_"); cause.checks > 0) {
    text += wrapped(fmt::format("{} {} a list that the site keeps, and here is none of: {} "
                                "(docs/registers.md says how).",
                                cause.checks, checks_do(cause.checks, "check reads", "checks read"),
                                fmt::join(cause.names, ", ")),
                    "", style);
  }
  return text.empty() ? text : "\n" + text;
}

}  // namespace vouch::cli
