// SPDX-License-Identifier: Apache-2.0
// What the agent does when the clock is set. Ticks are arithmetic over the wall clock and each has
// one run at most, so a clock that jumped ahead and back again must neither lose a run nor leave
// the host unseen until the time has come once more.
#include <algorithm>
#include <limits>

#include "agent/vouchd/agent.h"
#include "core/log.h"

namespace vouch::agent {
namespace {

constexpr std::int64_t kSuspendedUs = 2'000'000;

}  // namespace

Status Agent::watch_clock() {
  const ClockReading now{clock_.wall_ms(), clock_.boot_us()};
  const std::int64_t monotonic_us = clock_.monotonic_us();
  const std::int64_t slept_us =
      (now.boot_us - last_clock_.boot_us) - (monotonic_us - last_monotonic_us_);
  if (slept_us > kSuspendedUs) missed_because_ = "not-running";
  const ClockReading before = std::exchange(last_clock_, now);
  last_monotonic_us_ = monotonic_us;
  if (compare(before, now) == ClockMove::none) return Ok{};
  missed_because_ = "clock-step";
  const WallMs expected = before.wall + (now.boot_us - before.boot_us) / 1000;
  log::warn(
      "the clock was set from " + format_instant(expected) + " to " + format_instant(now.wall),
      {{"event", "clock-step"}});
  auto recorded = record_event(ClockStep{now.wall, expected, now.wall, now.boot_us});
  if (!recorded || now.wall >= expected) return recorded;
  return take_back_future();
}

// What is on record for ticks that are not due after all, and not sealed yet. Sealed only when
// their time comes, it would keep all ticks before them open until then. A run becomes one outside
// the schedule; its tick will have its own. What was missed was not.
Status Agent::take_back_future() {
  auto head = state_->ledger.chain_head();
  if (!head) return std::move(head).error();
  if (!*head) return Ok{};
  const WallMs now = clock_.wall_ms();
  const WallMs due_to = std::max(now, (*head)->link.period_to);
  auto waiting = state_->waiting.list(std::numeric_limits<std::uint32_t>::max());
  if (!waiting) return std::move(waiting).error();
  for (WaitingRecord& record : *waiting) {
    if (record.due < due_to) continue;
    auto done = state_->ledger.transaction(now, [&] { return take_back(record, due_to); });
    if (!done) return done;
  }
  for (Progress& progress : progress_) {
    const auto entry = std::find_if(
        schedule_.begin(), schedule_.end(),
        [&](const ScheduleEntry& each) { return each.collector == progress.collector; });
    if (entry == schedule_.end()) continue;
    progress.next_tick = std::min(progress.next_tick, first_tick(*entry, due_to));
    progress.not_before = 0;
  }
  return Ok{};
}

Status Agent::take_back(WaitingRecord record, WallMs due_to) {
  auto in_force = schedule_in_force();
  if (!in_force) return std::move(in_force).error();
  const auto entry_of = [&](const std::string& collector) -> const ScheduleEntry* {
    for (const ScheduleEntry& entry : *in_force) {
      if (entry.collector == collector) return &entry;
    }
    return nullptr;
  };
  if (auto removed = state_->waiting.remove(record.id); !removed) return removed;
  TickRange* ticks = nullptr;
  std::string collector;
  if (auto* missed = std::get_if<RunMissed>(&record.record)) {
    ticks = &missed->ticks;
    collector = missed->collector;
  } else if (auto* suppressed = std::get_if<RunSuppressed>(&record.record)) {
    ticks = &suppressed->ticks;
    collector = suppressed->collector;
  }
  if (ticks != nullptr) {
    const ScheduleEntry* entry = entry_of(collector);
    if (entry == nullptr) return Ok{};
    ticks->last = std::min(ticks->last, first_tick(*entry, due_to) - 1);
    if (ticks->count() == 0) return Ok{};
    record.due = due_at(*entry, ticks->last) * 1000;
    return state_->waiting.add(record, {});
  }
  RunTimes* run = std::get_if<Observation>(&record.record);
  if (run == nullptr) run = std::get_if<RunFailed>(&record.record);
  const auto id = run == nullptr ? Result<RunId>(Error{Errc::corrupt, "agent.db: no run"})
                                 : parse_run_id(run->run);
  if (!id) return Error(id.error());
  auto state = state_->waiting.collector(id->collector);
  if (!state) return std::move(state).error();
  const ScheduleEntry* entry = entry_of(id->collector);
  RunId extra{id->collector, 0, state->extra_count + 1};
  if (entry != nullptr) extra = extra_run_id(id->collector, *entry, *state, clock_.wall_ms());
  const std::string name = write_run_id(extra);
  log::warn(run->run + " is not due any more: it becomes " + name);
  if (state->content_run == run->run) state->content_run = name;
  state->extra_tick = extra.tick;
  state->extra_count = extra.extra;
  run->run = name;
  run->trigger = Trigger::start;
  run->scheduled.reset();
  record.due = 0;
  auto blobs = state_->blobs_of(record.record);
  if (!blobs) return std::move(blobs).error();
  if (auto added = state_->waiting.add(record, *blobs); !added) return added;
  return state_->waiting.set_collector(*state);
}

Result<std::vector<ScheduleEntry>> Agent::schedule_in_force() {
  auto in_force = state_->ledger.get(kConfigInForce);
  if (!in_force) return std::move(in_force).error();
  auto blob = state_->read_blob(in_force->value_or(""));
  if (!blob) return std::move(blob).error();
  return schedule_of_config(*blob);
}

// While the clock lies before the end of the last period (it was ahead, and was set back), no tick
// falls due, perhaps for years. Then the boot clock says when a collector runs, outside the
// schedule.
Status Agent::run_by_boot_clock(bool spool_full) {
  Status trouble = Ok{};
  const std::int64_t now_us = clock_.boot_us();
  const WallMs now = clock_.wall_ms();
  for (const ScheduleEntry& entry : schedule_) {
    const Progress* progress = progress_of(entry.collector);
    const bool waits =
        progress != nullptr && (due_at(entry, progress->next_tick) - entry.interval_s) * 1000 > now;
    if (!waits || due_at(entry, 0) * 1000 > now) {
      ran_us_.erase(entry.collector);
      continue;
    }
    const auto [last, is_new] = ran_us_.emplace(entry.collector, now_us);
    if (is_new || now_us - last->second < entry.interval_s * 1'000'000 || spool_full ||
        find_suppression(windows_, entry.collector, now / 1000)) {
      continue;
    }
    last->second = now_us;
    auto run = collect(entry.collector, Trigger::start);
    if (!run && trouble) trouble = std::move(run).error();
  }
  return trouble;
}

std::optional<std::int64_t> Agent::next_by_boot_clock_us() const {
  std::optional<std::int64_t> next;
  for (const ScheduleEntry& entry : schedule_) {
    const auto ran = ran_us_.find(entry.collector);
    if (ran == ran_us_.end()) continue;
    const std::int64_t due = ran->second + entry.interval_s * 1'000'000;
    if (!next || due < *next) next = due;
  }
  return next;
}

}  // namespace vouch::agent
