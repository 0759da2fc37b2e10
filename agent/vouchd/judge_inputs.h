// SPDX-License-Identifier: Apache-2.0
// What the checks of a collector read besides its own run: which tables, of which runs. Pure.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/vouchd/collector.h"
#include "core/clock.h"
#include "policies/engine/pack.h"
#include "proto/record.h"

namespace vouch::agent {

inline constexpr WallMs kInputAgeMsMax = WallMs{24} * 3600 * 1000;

// A good run of a collector, as far as others may read it.
struct Observed {
  std::string collector;  // With its instance.
  std::string run;
  WallMs at = 0;  // When it was last seen to hold.
  const RunContent* content = nullptr;
};

// The approved state of a collector's table.
struct Baseline {
  std::string collector;  // With its instance.
  TableRef table;         // By its own name.
};

// What is known besides the run that is judged.
struct History {
  std::optional<RunContent> before;  // The collector's last good run.
  std::vector<Observed> others;      // The latest runs of all other collectors.
  std::vector<Baseline> baselines;
};

// The tables that the checks judged by this collector need: those that they declare, and for each
// that reads `drift` the baseline of its first table.
std::set<std::string> tables_read(const policy::PackSet& packs, const Manifest& manifest);

// The inputs of a run, sorted, but for `drift`. `in_force` are those that no run yields.
std::vector<TableRef> inputs_of(const std::set<std::string>& wanted, const Collector& collector,
                                WallSeconds now, const History& history,
                                const std::vector<TableRef>& in_force);
void add_input(std::vector<TableRef>& inputs, TableRef input);  // In its place.

const TableRef* find_table(const std::vector<TableRef>& tables, std::string_view name);
const Baseline* find_baseline(const std::vector<Baseline>& baselines, std::string_view collector,
                              std::string_view table);

}  // namespace vouch::agent
