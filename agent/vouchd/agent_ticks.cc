// SPDX-License-Identifier: Apache-2.0
// What becomes of a tick that is due: it is run, put off for a moment, suppressed or missed; always
// on record, once.
#include <algorithm>

#include "agent/vouchd/agent.h"
#include "core/log.h"
#include "core/redact.h"

namespace vouch::agent {
namespace {

constexpr std::int64_t kPauseSecondsMin = 60;
constexpr std::int64_t kPauseSecondsMax = 7 * std::int64_t{86400};
constexpr std::size_t kPausesMax = 256;
// An ended pause still explains ticks that nobody accounted for yet.
constexpr std::int64_t kPauseKeptSeconds = 31 * std::int64_t{86400};

std::string count_of(TickRange ticks) {
  return std::to_string(ticks.count()) + (ticks.count() == 1 ? " run" : " runs");
}

}  // namespace

// `due`: of the last of the ticks, so that it is sealed in the period that they belong to.
Status Agent::record_missed(const std::string& collector, TickRange ticks, std::string_view reason,
                            WallMs due) {
  log::warn(collector + ": " + count_of(ticks) + " missed (" + std::string(reason) + ")",
            {{"event", "run-missed"}, {"collector", collector}, {"reason", std::string(reason)}});
  return record_event(RunMissed{clock_.wall_ms(), collector, ticks, std::string(reason)}, due);
}

// Planned: nothing to hurry a seal for.
Status Agent::record_suppressed(const std::string& collector, TickRange ticks,
                                const Suppression& why, WallMs due) {
  log::info(
      collector + ": " + count_of(ticks) + " suppressed (" + why.reason + ", by " + why.by + ")",
      {{"event", "run-suppressed"}, {"collector", collector}, {"reason", why.reason}});
  WaitingRecord waiting;
  waiting.record = RunSuppressed{clock_.wall_ms(), collector, ticks, why.reason, why.by, why.until};
  waiting.due = due;
  return state_->ledger.transaction(clock_.wall_ms(),
                                    [&] { return state_->waiting.add(waiting, {}); });
}

Progress* Agent::progress_of(std::string_view collector) {
  for (Progress& progress : progress_) {
    if (progress.collector == collector) return &progress;
  }
  return nullptr;
}

void Agent::move_on(const std::string& collector, std::int64_t next_tick) {
  if (Progress* progress = progress_of(collector)) progress->next_tick = next_tick;
}

Status Agent::run_tick(const Due& due, bool spool_full) {
  for (std::size_t i = 0; i < collectors_.size(); ++i) {
    if (collectors_[i].name != due.collector) continue;
    const std::int64_t newest = *due.run;
    std::vector<TickSlice> slices;
    TickRange sliced{due.missed.first, newest};
    if (missed_because_ == "clock-step" && due.missed.count() > 0) {
      // What a step of the clock jumped over was in no window: it never was.
      slices.push_back({due.missed, std::nullopt});
      sliced.first = newest;
    }
    for (TickSlice& slice : slice_ticks(schedule_[i], sliced, windows_)) {
      slices.push_back(std::move(slice));
    }
    for (const TickSlice& slice : slices) {
      if (auto done = account_for(i, slice, newest, spool_full); !done) return done;
    }
  }
  return Ok{};
}

Status Agent::account_for(std::size_t index, const TickSlice& slice, std::int64_t newest,
                          bool spool_full) {
  const ScheduleEntry& entry = schedule_[index];
  const auto due_ms = [&](std::int64_t tick) { return due_at(entry, tick) * 1000; };
  TickRange ticks = slice.ticks;
  if (slice.suppressed) {
    auto recorded =
        record_suppressed(entry.collector, ticks, *slice.suppressed, due_ms(ticks.last));
    if (!recorded) return recorded;
    move_on(entry.collector, ticks.last + 1);
    return Ok{};
  }
  const bool runs = ticks.last == newest && !spool_full;
  if (runs) --ticks.last;
  if (ticks.count() > 0) {
    auto recorded = record_missed(entry.collector, ticks,
                                  spool_full ? "spool-full" : missed_because_, due_ms(ticks.last));
    if (!recorded) return recorded;
    move_on(entry.collector, ticks.last + 1);  // Whatever becomes of the run: never twice.
  }
  if (!runs || is_put_off(entry, newest)) return Ok{};
  const RunOrder order{Trigger::schedule, newest, ""};
  auto run = recorder_.run(collectors_[index], entry, order, *judge_, collectors_);
  if (!run) return std::move(run).error();
  move_on(entry.collector, newest + 1);
  return Ok{};
}

// A tick that is put off stays due, and is looked at again.
bool Agent::is_put_off(const ScheduleEntry& entry, std::int64_t tick) {
  if (load_ == nullptr) return false;
  const auto until = put_off(entry, tick, clock_.wall_ms(), config_.busy.delay_s_max);
  if (!until || !is_busy(load_->read(), config_.busy)) return false;
  if (Progress* progress = progress_of(entry.collector)) progress->not_before = *until;
  return true;
}

// A collector in a window waits for its end: what changed until then is seen by one run.
Status Agent::run_triggered(bool spool_full) {
  Status trouble = Ok{};
  if (spool_full) return trouble;
  for (auto each = triggered_.begin(); each != triggered_.end();) {
    if (find_suppression(windows_, each->first, clock_.wall_ms() / 1000)) {
      ++each;
      continue;
    }
    const auto [collector, cause] = *each;
    each = triggered_.erase(each);
    auto run = collect(collector, Trigger::watch, cause);
    if (!run && trouble) trouble = std::move(run).error();
  }
  return trouble;
}

void Agent::trigger(const std::string& collector, const std::string& cause) {
  // The first path that changed is the cause.
  triggered_.emplace(collector, redact(Redaction::none, cause));
}

void Agent::set_pauses(std::vector<Window> pauses) {
  pauses_ = std::move(pauses);
  windows_ = config_.maintenance;
  windows_.insert(windows_.end(), pauses_.begin(), pauses_.end());
}

Status Agent::load_pauses() {
  auto text = state_->ledger.get(kPauses);
  if (!text) return std::move(text).error();
  std::vector<Window> pauses;
  if (*text) {
    auto value = json::parse(**text);
    if (!value) return std::move(value).error().in("agent.db: pauses");
    auto read = parse_windows(*value);
    if (!read) return std::move(read).error().in("agent.db: pauses");
    pauses = *std::move(read);
  }
  set_pauses(std::move(pauses));
  return Ok{};
}

Status Agent::keep_pauses(std::vector<Window> pauses) {
  const WallMs now = clock_.wall_ms();
  std::erase_if(pauses, [&](const Window& pause) {
    return pause.until <= pause.from || pause.until + kPauseKeptSeconds < now / 1000;
  });
  if (pauses.size() > kPausesMax) {
    return Error{Errc::too_large,
                 "too many pauses within a month: use maintenance in the "
                 "configuration"};
  }
  auto kept = state_->ledger.transaction(
      now, [&] { return state_->ledger.set(kPauses, json::write(to_json(pauses))); });
  if (kept) set_pauses(std::move(pauses));
  return kept;
}

Result<WallSeconds> Agent::pause(const std::string& collector, std::int64_t seconds, std::string by,
                                 std::string reason) {
  if (progress_of(collector) == nullptr) {
    return Error{Errc::not_found, "no collector " + collector + " is configured"};
  }
  if (seconds < kPauseSecondsMin || seconds > kPauseSecondsMax) {
    return Error{Errc::invalid, "a pause lasts from 1m to 7d"};
  }
  if (!is_window_text(reason)) {
    return Error{Errc::invalid, "a pause needs a reason: one line of up to 200 bytes"};
  }
  const WallSeconds now = clock_.wall_ms() / 1000;
  auto pauses = pauses_;
  pauses.push_back({std::move(by), std::move(reason), {collector}, now, now + seconds, 0});
  if (auto kept = keep_pauses(std::move(pauses)); !kept) return std::move(kept).error();
  log::info(collector + " is paused until " + format_second(now + seconds) + " (" +
            pauses_.back().reason + ", by " + pauses_.back().by + ")");
  return now + seconds;
}

Status Agent::resume(const std::string& collector) {
  const WallSeconds now = clock_.wall_ms() / 1000;
  auto pauses = pauses_;
  bool any = false;
  for (Window& pause : pauses) {
    if (pause.collectors != std::vector{collector} || pause.until <= now) continue;
    pause.until = std::max(now, pause.from);
    any = true;
  }
  if (!any) return Error{Errc::not_found, collector + " is not paused"};
  return keep_pauses(std::move(pauses));
}

}  // namespace vouch::agent
