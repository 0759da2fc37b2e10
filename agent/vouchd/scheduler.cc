// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/scheduler.h"

#include <algorithm>
#include <cstdlib>

#include "core/digest.h"

namespace vouch::agent {
namespace {

constexpr WallMs kClockStepMs = 2000;
constexpr WallMs kPutOffMs = 5000;  // A busy host is looked at this often.

const Progress* find_progress(const std::vector<Progress>& progress, std::string_view collector) {
  for (const Progress& candidate : progress) {
    if (candidate.collector == collector) return &candidate;
  }
  return nullptr;
}

}  // namespace

std::vector<Due> find_due(const std::vector<ScheduleEntry>& schedule,
                          const std::vector<Progress>& progress, WallMs now) {
  std::vector<Due> result;
  for (const ScheduleEntry& entry : schedule) {
    const Progress* state = find_progress(progress, entry.collector);
    if (state != nullptr && (state->running || now < state->not_before)) continue;
    const auto newest = last_tick(entry, now);
    const std::int64_t first = state == nullptr ? 0 : state->next_tick;
    if (!newest || *newest < first) continue;
    Due due{entry.collector, *newest, {first, *newest - 1}};
    result.push_back(std::move(due));
  }
  return result;
}

std::optional<WallMs> next_wake(const std::vector<ScheduleEntry>& schedule,
                                const std::vector<Progress>& progress) {
  std::optional<WallMs> wake;
  for (const ScheduleEntry& entry : schedule) {
    const Progress* state = find_progress(progress, entry.collector);
    if (state != nullptr && state->running) continue;
    WallMs due = due_at(entry, state == nullptr ? 0 : state->next_tick) * 1000;
    if (state != nullptr) due = std::max(due, state->not_before);
    if (!wake || due < *wake) wake = due;
  }
  return wake;
}

std::optional<WallMs> put_off(const ScheduleEntry& entry, std::int64_t tick, WallMs now,
                              std::int64_t delay_s_max) {
  const WallMs longest = std::min(delay_s_max * 1000, entry.interval_s * 1000 / 2);
  const WallMs end = due_at(entry, tick) * 1000 + longest;
  if (now >= end) return std::nullopt;
  return std::min(now + kPutOffMs, end);
}

std::int64_t first_tick(const ScheduleEntry& entry, WallMs from) {
  const auto before = last_tick(entry, from - 1);
  return before ? *before + 1 : 0;
}

std::int64_t splay_of(std::string_view agent_id, std::string_view collector,
                      std::int64_t splay_s_max) {
  if (splay_s_max <= 0) return 0;
  const std::string mac = hmac_sha256(agent_id, collector);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) number = number << 8 | static_cast<unsigned char>(mac[i]);
  return static_cast<std::int64_t>(number % (static_cast<std::uint64_t>(splay_s_max) + 1));
}

ClockMove compare(const ClockReading& before, const ClockReading& after) {
  const WallMs wall = after.wall - before.wall;
  const WallMs boot = (after.boot_us - before.boot_us) / 1000;
  return std::abs(wall - boot) > kClockStepMs ? ClockMove::stepped : ClockMove::none;
}

}  // namespace vouch::agent
