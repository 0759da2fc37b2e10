// SPDX-License-Identifier: Apache-2.0
// The arithmetic of runs and of judgements (docs/formats/verifier.md, "Completeness").
#pragma once

#include <optional>
#include <vector>

#include "proto/outcomes.h"
#include "proto/schedule.h"
#include "proto/statement.h"
#include "proto/verify/verdict.h"
#include "proto/verify/verifier.h"

namespace vouch::verify {

// Those of `ticks` that were due in the period (absent: all), by the schedule's entry for their
// collector (nullptr: none of them).
std::int64_t ticks_inside(const TickRange& ticks, const ScheduleEntry* entry,
                          const std::optional<Period>& period);

// Counts the runs of one chain, bundle after bundle. Only ticks that were due in the period count.
class CoverageCounter {
 public:
  explicit CoverageCounter(std::optional<Period> period) : period_(period) {}

  // `schedule` is that of the bundle's config; the bundle's own counts were checked against it.
  void add(const Bundle& bundle, const std::vector<ScheduleEntry>& schedule);
  // `ended`: the agent was decommissioned with its newest bundle. Silence after that is no gap.
  // `enrolled_at`, by the log: from then on the host owes its runs, whatever its chain says; absent
  // where that leaf is not known.
  [[nodiscard]] Coverage finish(bool ended, std::optional<WallMs> enrolled_at) const;
  // Host::owed_from and owed_to: valid once a bundle was added.
  [[nodiscard]] WallMs owed_from(std::optional<WallMs> enrolled_at) const;
  [[nodiscard]] WallMs owed_to(bool ended) const;

 private:
  [[nodiscard]] bool is_inside(WallSeconds due) const;

  std::optional<Period> period_;
  Coverage coverage_;
  bool started_ = false;
  WallMs last_to_ = 0;
  std::vector<ScheduleEntry> last_schedule_;
};

// Adds the outcomes of one observation. `waivers_approved`: the waivers in force had an approval.
void count_judgements(const std::vector<Outcome>& outcomes, bool waivers_approved,
                      std::map<std::string, Judgements>& controls);

}  // namespace vouch::verify
