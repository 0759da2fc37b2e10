// SPDX-License-Identifier: Apache-2.0
// How the agent starts: every tick that passed without it gets a record, and what changed of
// configuration, policy and waivers since is said before anything is collected under it.
#include <algorithm>
#include <filesystem>
#include <limits>

#include "agent/vouchd/agent.h"
#include "agent/vouchd/alerting.h"
#include "core/digest.h"
#include "core/log.h"
#include "proto/names.h"

namespace vouch::agent {
namespace {

// Runs that a crash took are named one by one; more than that cannot have been under way.
constexpr std::int64_t kCrashedRunsMax = 64;

constexpr std::string_view kBy = "vouchd";

}  // namespace

// Ticks that are due and have no record: before the last commit the agent was there, so a crash
// took them; after it nobody was.
Status Agent::account_for_absence(Absence absence) {
  auto head = state_->ledger.chain_head();
  if (!head) return std::move(head).error();
  auto in_force = state_->ledger.get(kConfigInForce);
  if (!in_force) return std::move(in_force).error();
  if (!*head || !*in_force) return Ok{};
  auto blob = state_->read_blob(**in_force);
  if (!blob) return std::move(blob).error();
  auto schedule = schedule_of_config(*blob);
  if (!schedule) return std::move(schedule).error();
  auto windows = windows_of_config(*blob);
  if (!windows) return std::move(windows).error();
  windows->insert(windows->end(), pauses_.begin(), pauses_.end());
  auto last_commit = state_->ledger.get_integer(kLastCommit, 0);
  if (!last_commit) return std::move(last_commit).error();
  auto waiting = state_->waiting.list(std::numeric_limits<std::uint32_t>::max());
  if (!waiting) return std::move(waiting).error();
  std::vector<Record> records;
  for (const WaitingRecord& record : *waiting) records.push_back(record.record);

  const WallMs now = clock_.wall_ms();
  const WallMs crashes_before = absence == Absence::crashed_or_stopped ? *last_commit : 0;
  const ChainLink& link = (*head)->link;
  accounted_to_ = std::max(now, link.period_to);
  const auto open = open_ticks(*schedule, link.period_to, accounted_to_, link.open, records);
  for (const auto& [collector, ranges] : open) {
    const std::string& name = collector;  // clang 14 captures no structured binding.
    const auto entry = std::find_if(schedule->begin(), schedule->end(),
                                    [&name](const auto& each) { return each.collector == name; });
    for (const TickRange& range : ranges) {
      std::vector<TickSlice> slices{{range, std::nullopt}};
      if (entry != schedule->end()) slices = slice_ticks(*entry, range, *windows);
      for (const TickSlice& slice : slices) {
        // Planned is planned, also where nobody was there to see it.
        const ScheduleEntry* known = entry == schedule->end() ? nullptr : &*entry;
        Status done = slice.suppressed
                          ? record_suppressed(collector, slice.ticks, *slice.suppressed,
                                              due_at(*known, slice.ticks.last) * 1000)
                          : record_absence(known, collector, slice.ticks, crashes_before);
        if (!done) return done;
      }
    }
  }
  return Ok{};
}

// Ticks due before `crashes_before` had an agent, which ended before their runs did.
Status Agent::record_absence(const ScheduleEntry* entry, const std::string& collector,
                             TickRange ticks, WallMs crashes_before) {
  if (entry != nullptr && ticks.count() <= kCrashedRunsMax) {
    while (ticks.count() > 0 && due_at(*entry, ticks.first) * 1000 < crashes_before) {
      if (auto done = record_crash(*entry, ticks.first); !done) return done;
      ++ticks.first;
    }
  }
  if (ticks.count() == 0) return Ok{};
  const WallMs due = entry == nullptr ? 0 : due_at(*entry, ticks.last) * 1000;
  return record_missed(collector, ticks, "not-running", due);
}

Status Agent::record_crash(const ScheduleEntry& entry, std::int64_t tick) {
  RunFailed failed;
  failed.run = write_run_id({entry.collector, tick, 0});
  failed.scheduled = due_at(entry, tick);
  failed.finished = clock_.wall_ms();
  failed.reason = to_string(Violation::crash);
  failed.message = "the agent ended before the run did";
  return record_event(failed, due_at(entry, tick) * 1000);
}

// The bundle that says so is the last one under the old configuration.
Status Agent::record_changes() {
  const WallMs now = clock_.wall_ms();
  const std::string reason = "read at start";
  const auto change = [&](std::string_view from, std::string_view to) {
    return Change{now, std::string(from), std::string(to), std::string(kBy), reason};
  };
  const std::string waivers =
      judge_->waivers() ? judge_->waivers()->sha256 : std::string(kEmptyDigestHex);
  auto policy_before = state_->ledger.get(kPolicyInForce);
  if (!policy_before) return std::move(policy_before).error();
  auto waivers_before = state_->ledger.get(kWaiversInForce);
  if (!waivers_before) return std::move(waivers_before).error();
  const bool policy_changed = *policy_before && **policy_before != judge_->policy();
  const std::string old_waivers = waivers_before->value_or(std::string(kEmptyDigestHex));
  if (policy_changed) {
    const PolicyChange record{change(**policy_before, judge_->policy())};
    if (auto done = record_event(record); !done) return done;
  }
  if (old_waivers != waivers) {
    const WaiverChange record{change(old_waivers, waivers)};
    if (auto done = record_event(record); !done) return done;
  }
  auto set = state_->ledger.transaction(now, [&]() -> Status {
    if (auto done = state_->ledger.set(kPolicyInForce, judge_->policy()); !done) return done;
    return state_->ledger.set(kWaiversInForce, waivers);
  });
  if (!set) return set;

  auto config_before = state_->ledger.get(kConfigInForce);
  if (!config_before) return std::move(config_before).error();
  if (!*config_before) return state_->ledger.set(kConfigInForce, config_digest_);
  if (**config_before == config_digest_) return Ok{};
  const ConfigChange record{change(**config_before, config_digest_)};
  if (auto done = record_event(record); !done) return done;
  if (auto sealed = seal(); !sealed) return sealed;
  auto head = state_->ledger.chain_head();
  if (!head) return std::move(head).error();
  accounted_to_ = (*head)->link.period_to;  // That bundle left nothing open.
  return Ok{};
}

// From here on every tick that falls due is run or recorded by poll().
void Agent::adopt_schedule() {
  progress_.clear();
  for (const ScheduleEntry& entry : schedule_) {
    progress_.push_back({entry.collector, first_tick(entry, accounted_to_), false, 0});
  }
  last_clock_ = {clock_.wall_ms(), clock_.boot_us()};
  last_monotonic_us_ = clock_.monotonic_us();
}

Status Agent::start() {
  if (auto repaired = state_->repair_files(); !repaired) return repaired;
  std::error_code ignored;  // What nobody announced is of no use to anybody.
  std::filesystem::remove_all(state_->directory + "/" + std::string(kIncoming), ignored);
  if (alerting_) {
    if (auto begun = alerting_->start(); !begun) return begun;
  }
  // What came home while nobody was here: the first bundle then names the newest checkpoint.
  if (auto accepted = acceptor_->scan(); !accepted) return std::move(accepted).error();
  auto clean = state_->ledger.get(kClean);
  if (!clean) return std::move(clean).error();
  auto in_force = state_->ledger.get(kConfigInForce);
  if (!in_force) return std::move(in_force).error();
  const bool first = !*in_force;
  if (first) {
    if (auto set = state_->ledger.set(kConfigInForce, config_digest_); !set) return set;
  }
  if (auto done = take_back_future(); !done) return done;
  if (auto accounted = account_for_absence(Absence::crashed_or_stopped); !accounted)
    return accounted;
  const bool unclean = !first && clean->value_or("") != "1";
  const AgentStart started{clock_.wall_ms(), VOUCH_VERSION, executable_, unclean};
  if (auto recorded = record_event(started); !recorded) return recorded;
  auto running =
      state_->ledger.transaction(clock_.wall_ms(), [&] { return state_->ledger.set(kClean, "0"); });
  if (!running) return running;
  if (auto recorded = record_changes(); !recorded) return recorded;
  adopt_schedule();
  started_ = true;
  return Ok{};
}

}  // namespace vouch::agent
