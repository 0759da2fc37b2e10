// SPDX-License-Identifier: Apache-2.0
// What the journal keeps of a unit's runs. Only for the running host.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/sdk/context.h"
#include "core/clock.h"
#include "core/result.h"

namespace vouch::backup_jobs {

struct UnitRun {
  std::string unit;
  WallSeconds time = 0;  // When it ended.
  std::string result;    // "success", or systemd's word for the failure: "exit-code", "timeout" …
};

// The ends of runs of the units, oldest first.
Result<std::vector<UnitRun>> unit_runs(const sdk::Context& context,
                                       const std::vector<std::string>& units, int days);

struct JournalSpan {
  bool has_entries = false;
  WallSeconds oldest = 0;
  WallSeconds newest = 0;
};
Result<JournalSpan> journal_span(const sdk::Context& context, const std::string& unit);

// One line of `journalctl --output=json`. Errc::invalid: it is none, or not about a unit's end.
Result<UnitRun> parse_run_line(std::string_view line);
// The time of any entry.
Result<WallSeconds> parse_entry_time(std::string_view line);

}  // namespace vouch::backup_jobs
