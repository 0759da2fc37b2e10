// SPDX-License-Identifier: Apache-2.0
// Whether the agent works, and if not why: read from what Agent::status() says. Pure; used by
// `vouch status`, `vouch doctor` and the metrics. Never evidence.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/json.h"

namespace vouch::agent {

struct Problem {
  bool is_failure = false;  // Else a warning: it works, but not for long or not as it should.
  std::string text;         // What is wrong.
  std::string remedy;       // What to do.
  bool operator==(const Problem&) const = default;
};

// Failures first. `now` is the reader's clock.
std::vector<Problem> problems_of(const json::Value& status, WallSeconds now);

// The Prometheus text format, version 0.0.4; docs/operations.md names each metric.
std::string write_metrics(const json::Value& status, WallSeconds now);

}  // namespace vouch::agent
