// SPDX-License-Identifier: Apache-2.0
// The host as it is now: collectors run once, their tables in memory, judged without any state.
// What `check`, `collect` and `query` have in common.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/vouchd/collector.h"
#include "agent/vouchd/runner.h"
#include "core/clock.h"
#include "core/result.h"
#include "policies/engine/pack.h"
#include "policies/engine/register.h"
#include "proto/outcomes.h"
#include "proto/record.h"

namespace vouch::cli {

struct LiveRun {
  const agent::Collector* collector = nullptr;
  std::string id;
  CollectorRef ran;
  std::optional<RunViolation> violation;  // The run failed as a whole: every table is an error.
  std::vector<TableRef> tables;
};

struct Live {
  WallSeconds now = 0;
  std::vector<LiveRun> runs;
  std::map<std::string, std::string> blobs;  // Tables by digest.
};

struct LiveOrder {
  std::string root = "/";
  std::set<std::string, std::less<>> tables;  // Empty: all.
};

// Runs the collectors that have one of the tables, one after the other. How a run ended is a value.
Live collect_now(const std::vector<agent::Collector>& collectors, const LiveOrder& order,
                 agent::Runner& runner, const Clock& clock);

struct LiveOutcomes {
  std::vector<Outcome> outcomes;                // Sorted by check.
  std::map<std::string, std::string> findings;  // Blobs by digest.
};

// Judges all runs, each with the tables of the others. `waivers` is a blob, or empty.
Result<LiveOutcomes> judge_now(const Live& live, const std::vector<agent::Collector>& collectors,
                               policy::PackSet packs, const std::string& waivers,
                               const std::vector<policy::Register>& registers = {});

}  // namespace vouch::cli
