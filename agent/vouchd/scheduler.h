// SPDX-License-Identifier: Apache-2.0
// What is due: a pure function from the schedule, what was accounted for, and the time. Ticks are
// arithmetic (docs/formats/records.md): each is run at most once, also when the clock goes back;
// of several that are due the newest runs, late, and the older ones are missed, on record.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "proto/schedule.h"

namespace vouch::agent {

// Base of anchors that the configuration does not give: a Monday, long past, so that tick numbers
// of schedules with different intervals never meet in practice.
inline constexpr WallSeconds kAnchorBase = 1704067200;  // 2024-01-01T00:00:00Z

// Where a collector stands. `next_tick` is the first tick without a record.
struct Progress {
  std::string collector;
  std::int64_t next_tick = 0;
  bool running = false;
  WallMs not_before = 0;  // A tick that was put off is looked at again then.
};

// What to do for one collector now.
struct Due {
  std::string collector;
  std::optional<std::int64_t> run;  // This tick starts now.
  TickRange missed;                 // These never will.
};

// Collectors without anything due are left out. A collector that is running gets nothing: what
// became due meanwhile is sorted out when it ends.
std::vector<Due> find_due(const std::vector<ScheduleEntry>& schedule,
                          const std::vector<Progress>& progress, WallMs now);

// Whether a due tick may wait a little, because the host is busy: until when. Not at all once it
// has waited for `delay_s_max` or half the interval; so it is never lost to the next tick.
std::optional<WallMs> put_off(const ScheduleEntry& entry, std::int64_t tick, WallMs now,
                              std::int64_t delay_s_max);

// When find_due() may next return something, if nothing else happens.
std::optional<WallMs> next_wake(const std::vector<ScheduleEntry>& schedule,
                                const std::vector<Progress>& progress);

// The first tick due at or after `from`.
std::int64_t first_tick(const ScheduleEntry& entry, WallMs from);

// A host's own delay for a collector, 0 to splay_s_max: always the same for one agent, spread
// evenly over a fleet, so that hosts do not all call at the full hour.
std::int64_t splay_of(std::string_view agent_id, std::string_view collector,
                      std::int64_t splay_s_max);

// How the clocks moved between two looks at them.
enum class ClockMove { none, stepped };
struct ClockReading {
  WallMs wall = 0;
  std::int64_t boot_us = 0;
};
// Stepped: wall time moved against boot time by more than 2 s. Sleep is no step: boot time counts
// through it.
ClockMove compare(const ClockReading& before, const ClockReading& after);

}  // namespace vouch::agent
