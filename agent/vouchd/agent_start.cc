// SPDX-License-Identifier: Apache-2.0
// How the agent starts: every tick that passed without it gets a record, and what changed of
// configuration, policy and waivers since is said before anything is collected under it.
#include <algorithm>
#include <limits>

#include "agent/vouchd/agent.h"
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
  auto last_commit = state_->ledger.get_integer(kLastCommit, 0);
  if (!last_commit) return std::move(last_commit).error();
  auto waiting = state_->waiting.list(std::numeric_limits<std::uint32_t>::max());
  if (!waiting) return std::move(waiting).error();
  std::vector<Record> records;
  for (const WaitingRecord& record : *waiting) records.push_back(record.record);

  const WallMs now = clock_.wall_ms();
  const ChainLink& link = (*head)->link;
  accounted_to_ = std::max(now, link.period_to);
  const auto open = open_ticks(*schedule, link.period_to, accounted_to_, link.open, records);
  for (const auto& [collector, ranges] : open) {
    const auto entry = std::find_if(schedule->begin(), schedule->end(),
                                    [&](const auto& each) { return each.collector == collector; });
    for (TickRange range : ranges) {
      const bool may_be_crash = absence == Absence::crashed_or_stopped &&
                                entry != schedule->end() && range.count() <= kCrashedRunsMax;
      while (may_be_crash && range.count() > 0 &&
             due_at(*entry, range.first) * 1000 < *last_commit) {
        if (auto done = record_crash(*entry, range.first); !done) return done;
        ++range.first;
      }
      if (range.count() == 0) continue;
      if (auto done = record_missed(collector, range, "not-running"); !done) return done;
    }
  }
  return Ok{};
}

Status Agent::record_crash(const ScheduleEntry& entry, std::int64_t tick) {
  RunFailed failed;
  failed.run = write_run_id({entry.collector, tick, 0});
  failed.scheduled = due_at(entry, tick);
  failed.finished = clock_.wall_ms();
  failed.reason = to_string(Violation::crash);
  failed.message = "the agent ended before the run did";
  return record_event(failed);
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
  return abandon_open();
}

// Ticks that fell due while the old configuration's last bundle was being sealed.
Status Agent::abandon_open() {
  auto head = state_->ledger.chain_head();
  if (!head) return std::move(head).error();
  accounted_to_ = (*head)->link.period_to;
  for (const std::string& run : (*head)->link.open) {
    const auto id = parse_run_id(run);
    if (!id) continue;
    auto done = record_missed(id->collector, {id->tick, id->tick}, "not-running");
    if (!done) return done;
  }
  return Ok{};
}

// From here on every tick that falls due is run or recorded by poll().
void Agent::adopt_schedule() {
  progress_.clear();
  for (const ScheduleEntry& entry : schedule_) {
    progress_.push_back({entry.collector, first_tick(entry, accounted_to_), false});
  }
  last_clock_ = {clock_.wall_ms(), clock_.boot_us()};
  last_monotonic_us_ = clock_.monotonic_us();
}

Status Agent::start() {
  if (auto repaired = state_->repair_files(); !repaired) return repaired;
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
