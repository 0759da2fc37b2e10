// SPDX-License-Identifier: Apache-2.0
// Deterministic ticks (docs/formats/records.md): tick k of a collector is due at
// anchor + k * interval, in UTC, k >= 0. So which runs a period should hold is arithmetic.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"

namespace vouch {

// One element of `schedule` in the config blob.
struct ScheduleEntry {
  std::string collector;
  WallSeconds anchor = 0;
  std::int64_t interval_s = 0;  // 1 to kIntervalSecondsMax.
  std::int64_t deadline_s = 0;  // At least 1.

  bool operator==(const ScheduleEntry&) const = default;
};

inline constexpr std::int64_t kIntervalSecondsMax = std::int64_t{366} * 86400;

// Both ends included; empty when last < first.
struct TickRange {
  std::int64_t first = 0;
  std::int64_t last = -1;

  [[nodiscard]] std::int64_t count() const { return last < first ? 0 : last - first + 1; }
  bool operator==(const TickRange&) const = default;
};

WallSeconds due_at(const ScheduleEntry& entry, std::int64_t tick);
// The ticks due in [from, to).
TickRange due_ticks(const ScheduleEntry& entry, WallMs from, WallMs to);
// The newest tick due at or before `now`; none before the anchor.
std::optional<std::int64_t> last_tick(const ScheduleEntry& entry, WallMs now);
// When the next tick after `now` is due.
WallSeconds next_due(const ScheduleEntry& entry, WallMs now);

json::Value to_json(const ScheduleEntry& entry);
// Strict on form; `collector` is unique within a schedule.
Result<std::vector<ScheduleEntry>> parse_schedule(const json::Value& array);
// Takes `schedule` out of the bytes of a config blob.
Result<std::vector<ScheduleEntry>> schedule_of_config(std::string_view config_blob);

}  // namespace vouch
