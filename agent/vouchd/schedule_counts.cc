// SPDX-License-Identifier: Apache-2.0
// count_schedule() of sealer.h: arithmetic over ranges of ticks, so that a clock that jumps years
// ahead costs nothing.
#include <algorithm>
#include <map>

#include "agent/vouchd/sealer.h"
#include "proto/names.h"

namespace vouch::agent {
namespace {

using Ranges = std::vector<TickRange>;

// Cuts `taken` out of the ranges.
void subtract(Ranges& ranges, TickRange taken) {
  Ranges left;
  for (const TickRange& range : ranges) {
    const TickRange before{range.first, std::min(range.last, taken.first - 1)};
    const TickRange after{std::max(range.first, taken.last + 1), range.last};
    if (before.count() > 0) left.push_back(before);
    if (after.count() > 0 && after.first > before.last) left.push_back(after);
  }
  ranges = std::move(left);
}

void account_for(std::map<std::string, Ranges>& due, const Record& record) {
  if (const RunTimes* run = run_times(record)) {
    const auto id = parse_run_id(run->run);
    if (id && id->scheduled()) subtract(due[id->collector], {id->tick, id->tick});
  } else if (const auto* missed = std::get_if<RunMissed>(&record)) {
    subtract(due[missed->collector], missed->ticks);
  } else if (const auto* suppressed = std::get_if<RunSuppressed>(&record)) {
    subtract(due[suppressed->collector], suppressed->ticks);
  }
}

}  // namespace

std::map<std::string, Ranges> open_ticks(const std::vector<ScheduleEntry>& schedule, WallMs from,
                                         WallMs to, const std::vector<std::string>& carried,
                                         const std::vector<Record>& records) {
  std::map<std::string, Ranges> due;
  for (const std::string& run : carried) {
    if (const auto id = parse_run_id(run)) due[id->collector].push_back({id->tick, id->tick});
  }
  for (const ScheduleEntry& entry : schedule) {
    const TickRange range = due_ticks(entry, from, to);
    if (range.count() > 0) due[entry.collector].push_back(range);
  }
  for (const Record& record : records) account_for(due, record);
  std::erase_if(due, [](const auto& entry) { return entry.second.empty(); });
  return due;
}

std::vector<RunMissed> missed_of(const std::map<std::string, Ranges>& ticks, WallMs at) {
  std::vector<RunMissed> missed;
  for (const auto& [collector, ranges] : ticks) {
    for (const TickRange& range : ranges) missed.push_back({at, collector, range, "not-running"});
  }
  return missed;
}

ScheduleCounts count_schedule(const std::vector<ScheduleEntry>& schedule, WallMs from, WallMs to,
                              const std::vector<std::string>& carried,
                              const std::vector<Record>& records) {
  ScheduleCounts counts;
  counts.carried = static_cast<std::int64_t>(carried.size());
  for (const ScheduleEntry& entry : schedule) counts.expected += due_ticks(entry, from, to).count();
  for (const auto& [collector, ranges] : open_ticks(schedule, from, to, carried, records)) {
    for (const TickRange& range : ranges) {
      for (auto tick = range.first; tick <= range.last; ++tick) {
        counts.open.push_back(write_run_id({collector, tick, 0}));
      }
    }
  }
  count_runs(records, counts);
  return counts;
}

}  // namespace vouch::agent
