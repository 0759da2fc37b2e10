// SPDX-License-Identifier: Apache-2.0
#include "proto/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "proto/names.h"

namespace vouch {
namespace {

constexpr std::int64_t kMsPerSecond = 1000;

// Rounds towards plus infinity; `divisor` is positive.
std::int64_t divide_up(std::int64_t value, std::int64_t divisor) {
  return value / divisor + (value % divisor > 0 ? 1 : 0);
}

// The first tick due at or after `time`.
std::int64_t first_tick_from(const ScheduleEntry& entry, WallMs time) {
  const auto tick = divide_up(time - entry.anchor * kMsPerSecond, entry.interval_s * kMsPerSecond);
  return std::max<std::int64_t>(tick, 0);
}

Result<ScheduleEntry> parse_entry(const json::Value& value) {
  ScheduleEntry entry;
  auto collector = json::get_string(value, "collector");
  if (!collector) return std::move(collector).error();
  entry.collector = *std::move(collector);
  if (!is_collector_name(entry.collector)) {
    return Error{Errc::invalid, "member \"collector\": not a collector's name"};
  }
  auto anchor_text = json::get_string(value, "anchor");
  if (!anchor_text) return std::move(anchor_text).error();
  auto anchor = parse_second(*anchor_text);
  if (!anchor) return std::move(anchor).error().in("member \"anchor\"");
  entry.anchor = *anchor;

  auto interval = json::get_integer(value, "interval_s");
  if (!interval) return std::move(interval).error();
  auto deadline = json::get_integer(value, "deadline_s");
  if (!deadline) return std::move(deadline).error();
  entry.interval_s = *interval;
  entry.deadline_s = *deadline;
  if (entry.interval_s < 1 || entry.interval_s > kIntervalSecondsMax) {
    return Error{Errc::invalid,
                 fmt::format("member \"interval_s\": must be 1 to {}", kIntervalSecondsMax)};
  }
  if (entry.deadline_s < 1 || entry.deadline_s > kIntervalSecondsMax) {
    return Error{Errc::invalid,
                 fmt::format("member \"deadline_s\": must be 1 to {}", kIntervalSecondsMax)};
  }
  return entry;
}

}  // namespace

WallSeconds due_at(const ScheduleEntry& entry, std::int64_t tick) {
  return entry.anchor + tick * entry.interval_s;
}

TickRange due_ticks(const ScheduleEntry& entry, WallMs from, WallMs to) {
  if (to <= from) return {};
  return {first_tick_from(entry, from), first_tick_from(entry, to) - 1};
}

std::optional<std::int64_t> last_tick(const ScheduleEntry& entry, WallMs now) {
  const auto next = first_tick_from(entry, now + 1);
  if (next == 0) return std::nullopt;
  return next - 1;
}

WallSeconds next_due(const ScheduleEntry& entry, WallMs now) {
  return due_at(entry, first_tick_from(entry, now + 1));
}

json::Value to_json(const ScheduleEntry& entry) {
  return json::Object{{"collector", entry.collector},
                      {"anchor", format_second(entry.anchor)},
                      {"interval_s", entry.interval_s},
                      {"deadline_s", entry.deadline_s}};
}

Result<std::vector<ScheduleEntry>> parse_schedule(const json::Value& array) {
  const auto* items = array.if_array();
  if (!items) return Error{Errc::invalid, "schedule: expected an array"};
  std::vector<ScheduleEntry> schedule;
  std::set<std::string> collectors;
  for (const auto& item : *items) {
    auto entry = parse_entry(item);
    if (!entry) return std::move(entry).error().in(fmt::format("schedule[{}]", schedule.size()));
    if (!collectors.insert(entry->collector).second) {
      return Error{Errc::invalid, fmt::format("schedule: {} is there twice", entry->collector)};
    }
    schedule.push_back(*std::move(entry));
  }
  return schedule;
}

Result<std::vector<ScheduleEntry>> schedule_of_config(std::string_view config_blob) {
  const auto config = json::parse(config_blob);
  if (!config) return Error(config.error()).in("config");
  const auto* schedule = config->find("schedule");
  if (!schedule) return Error{Errc::invalid, "config: no member \"schedule\""};
  auto entries = parse_schedule(*schedule);
  if (!entries) return std::move(entries).error().in("config");
  return entries;
}

}  // namespace vouch
