// SPDX-License-Identifier: Apache-2.0
// check_schedule() of proto/chain.h: the population of runs is arithmetic over ranges of ticks, so
// that a bundle which claims a million of them costs nothing to check.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "proto/chain.h"
#include "proto/names.h"

namespace vouch {
namespace {

using TicksByCollector = std::map<std::string, std::vector<TickRange>>;

ChainFault fault(std::string_view reason, std::string message) {
  return {std::string(reason), std::move(message)};
}

void add_run(TicksByCollector& ticks, std::string_view run) {
  const auto id = parse_run_id(run);
  if (id && id->scheduled()) ticks[id->collector].push_back({id->tick, id->tick});
}

TicksByCollector claimed_ticks(const Bundle& bundle) {
  TicksByCollector claimed;
  for (const auto& record : bundle.records) {
    if (const auto* run = run_times(record)) {
      add_run(claimed, run->run);
    } else if (const auto* missed = std::get_if<RunMissed>(&record)) {
      claimed[missed->collector].push_back(missed->ticks);
    } else if (const auto* suppressed = std::get_if<RunSuppressed>(&record)) {
      claimed[suppressed->collector].push_back(suppressed->ticks);
    }
  }
  for (const auto& run : bundle.schedule.open) add_run(claimed, run);
  return claimed;
}

// Sorts, and joins neighbours. False if two ranges overlap.
bool join_ranges(std::vector<TickRange>& ranges) {
  std::ranges::sort(ranges, {}, &TickRange::first);
  std::vector<TickRange> joined;
  for (const auto& range : ranges) {
    if (joined.empty() || range.first > joined.back().last + 1) {
      joined.push_back(range);
    } else if (range.first == joined.back().last + 1) {
      joined.back().last = range.last;
    } else {
      return false;
    }
  }
  ranges = std::move(joined);
  return true;
}

std::optional<ChainFault> compare(const std::string& collector, std::vector<TickRange> needed,
                                  std::vector<TickRange> claimed) {
  if (!join_ranges(needed)) {
    return fault("tick", fmt::format("{}: a tick carried over is due again", collector));
  }
  if (!join_ranges(claimed)) {
    return fault("tick", fmt::format("{}: a tick is accounted for twice", collector));
  }
  if (needed == claimed) return std::nullopt;
  return fault("tick", fmt::format("{}: the ticks accounted for are not those due", collector));
}

std::optional<ChainFault> check_due_times(const ChainLink& link, const Bundle& bundle,
                                          const std::vector<ScheduleEntry>& schedule) {
  std::map<std::string_view, const ScheduleEntry*> entries;
  for (const auto& entry : schedule) entries.emplace(entry.collector, &entry);
  // A run carried over was due under the schedule of its own bundle.
  const std::set<std::string_view> carried(link.open.begin(), link.open.end());
  for (const auto& record : bundle.records) {
    const auto* run = run_times(record);
    if (!run || !run->scheduled || carried.contains(run->run)) continue;
    const auto id = parse_run_id(run->run);
    const auto entry = id ? entries.find(id->collector) : entries.end();
    if (entry == entries.end() || due_at(*entry->second, id->tick) != *run->scheduled) {
      return fault("tick", fmt::format("{}: scheduled is not when its tick was due", run->run));
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<ChainFault> check_schedule(const ChainLink& link, const Statement& next,
                                         const std::vector<ScheduleEntry>& schedule) {
  const auto& bundle = next.bundle;
  TicksByCollector needed;
  std::int64_t expected = 0;
  for (const auto& entry : schedule) {
    const auto due = due_ticks(entry, bundle.period_from, bundle.period_to);
    if (due.count() == 0) continue;
    expected += due.count();
    needed[entry.collector].push_back(due);
  }
  if (expected != bundle.schedule.expected) {
    return fault("expected", fmt::format("{} ticks were due, the bundle says {}", expected,
                                         bundle.schedule.expected));
  }
  for (const auto& run : link.open) add_run(needed, run);

  auto claimed = claimed_ticks(bundle);
  for (const auto& [collector, ranges] : needed) claimed.try_emplace(collector);
  for (const auto& [collector, ranges] : claimed) {
    if (auto found = compare(collector, needed[collector], ranges)) return found;
  }
  return check_due_times(link, bundle, schedule);
}

}  // namespace vouch
