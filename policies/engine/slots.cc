// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/slots.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "proto/names.h"
#include "proto/verify/coverage.h"

namespace vouch::policy {
namespace {

constexpr WallMs kMsPerSecond = 1000;

const ScheduleEntry* find_entry(const std::vector<ScheduleEntry>& schedule,
                                std::string_view collector) {
  const auto entry = std::ranges::find(schedule, collector, &ScheduleEntry::collector);
  return entry == schedule.end() ? nullptr : &*entry;
}

void note_gap(ControlSlots& sum, WallMs from, WallMs to) {
  if (to - from <= sum.longest_gap_ms) return;
  sum.longest_gap_ms = to - from;
  sum.longest_gap_from = from;
}

}  // namespace

const Rules* SlotCounter::rules(const std::string& policy, const BlobReader& blobs) {
  if (const auto known = rules_.find(policy); known != rules_.end()) return &known->second;
  if (rules_.size() >= kPolicySetsMax) return nullptr;
  const auto set = sets_.load(policy, blobs);
  if (!set) return nullptr;
  return &rules_.emplace(policy, rules_of(**set, pool_)).first->second;
}

void SlotCounter::begin_stretch(ControlState& state, const ControlRule& rule, WallMs begin) {
  std::vector<CheckState> checks(rule.checks.size(), CheckState{begin, -1});
  // A change does not hide for how long a check has not been judged.
  for (std::size_t i = 0; state.rule != nullptr && i < state.checks.size(); ++i) {
    const auto same = std::ranges::lower_bound(rule.checks, state.rule->checks[i]);
    if (same == rule.checks.end() || *same != state.rule->checks[i]) continue;
    checks[static_cast<std::size_t>(same - rule.checks.begin())].since = state.checks[i].since;
  }
  state.checks = std::move(checks);
  state.rule = &rule;
  state.begin = begin;
  state.slot = state.filled_last = state.filled_before = -1;
  state.checks_in_slot = 0;
  state.filled = 0;
}

// What is left over at the end belongs to the last slot; there is always one.
void SlotCounter::end_stretch(ControlState& state, WallMs end) {
  if (state.rule == nullptr || end <= state.begin) return;
  const auto slots =
      std::max<std::int64_t>(1, (end - state.begin) / (state.rule->frequency_s * kMsPerSecond));
  auto filled = state.filled;
  auto newest = state.filled_last;
  if (newest >= slots) {
    --filled;
    newest = state.filled_before;
  }
  const bool last_filled = std::ranges::all_of(
      state.checks, [&](const CheckState& check) { return check.slot >= slots - 1; });
  if (last_filled && newest != slots - 1) ++filled;
  state.sum.required += slots;
  state.sum.judged += filled;
}

void SlotCounter::judge(ControlState& state, std::string_view check, WallMs at) {
  if (state.rule == nullptr || at < state.begin) return;
  const auto place = std::ranges::lower_bound(state.rule->checks, check);
  if (place == state.rule->checks.end() || *place != check) return;
  auto& judged = state.checks[static_cast<std::size_t>(place - state.rule->checks.begin())];
  note_gap(state.sum, judged.since, at);
  judged.since = at;
  const auto slot = (at - state.begin) / (state.rule->frequency_s * kMsPerSecond);
  if (judged.slot == slot) return;
  judged.slot = slot;
  if (state.slot != slot) {
    state.slot = slot;
    state.checks_in_slot = 0;
  }
  if (++state.checks_in_slot < state.checks.size()) return;
  ++state.filled;
  state.filled_before = state.filled_last;
  state.filled_last = slot;
}

void SlotCounter::note_change(const HostState& host, ChangeKind kind, std::string_view of,
                              std::string what, WallMs at, std::int64_t& counter) {
  if (at <= host.owed_from) return;
  ++counter;
  const auto key = std::pair(std::string(of), what);
  auto known = changes_.find(key);
  if (known == changes_.end()) {
    if (changes_.size() >= kSlotChangesMax) {
      ++changes_left_out_;
      return;
    }
    known =
        changes_.emplace(key, SlotChange{kind, std::string(of), std::move(what), at, at, 0}).first;
  }
  auto& change = known->second;
  change.first_at = std::min(change.first_at, at);
  change.last_at = std::max(change.last_at, at);
  ++change.times;
}

void SlotCounter::apply_rule(HostState& host, ControlState& state, const ControlRule& rule,
                             WallMs at, WallMs begin) {
  if (state.rule == &rule) return;
  if (state.rule == nullptr) {
    begin_stretch(state, rule, begin);
    return;
  }
  for (auto& change : changes_between(*state.rule, rule)) {
    note_change(host, change.kind, rule.control, std::move(change.what), at, state.sum.changes);
  }
  if (state.rule->frequency_s == rule.frequency_s && state.rule->checks == rule.checks) {
    state.rule = &rule;
    return;
  }
  end_stretch(state, begin);
  begin_stretch(state, rule, begin);
}

void SlotCounter::apply_policy(HostState& host, WallMs at, const std::string& policy,
                               const BlobReader& blobs) {
  const bool is_first = host.policy.empty();
  host.policy = policy;
  const auto* rules_now = rules(policy, blobs);
  if (rules_now == nullptr) {
    host.policy_unknown = true;
    return;
  }
  const auto begin = is_first ? host.owed_from : std::max(at, host.owed_from);
  for (auto& [control, state] : host.controls) {
    if (state.rule == nullptr || rules_now->contains(control)) continue;
    for (const auto& check : state.checks) note_gap(state.sum, check.since, begin);
    end_stretch(state, begin);
    state.rule = nullptr;
    note_change(host, ChangeKind::pack, control, "no longer in force", at, state.sum.changes);
  }
  for (const auto& [control, rule] : *rules_now) {
    auto& state = host.controls[std::string(control)];
    if (state.rule == nullptr && !is_first) {
      note_change(host, ChangeKind::pack, control, "in force", at, state.sum.changes);
    }
    apply_rule(host, state, *rule, at, begin);
    state.sum.frequency_s = rule->frequency_s;
  }
}

void SlotCounter::note_schedule(HostState& host, WallMs at,
                                const std::vector<ScheduleEntry>& schedule) {
  if (host.schedule == schedule) return;
  const auto describe = [](const ScheduleEntry* entry) {
    return entry == nullptr ? std::string("not scheduled")
                            : fmt::format("every {} s", entry->interval_s);
  };
  const auto compare = [&](const std::string& collector) {
    const auto before = describe(find_entry(host.schedule, collector));
    const auto after = describe(find_entry(schedule, collector));
    if (before == after) return;  // Another minute of the same rhythm.
    note_change(host, ChangeKind::schedule, collector, fmt::format("{} → {}", before, after), at,
                host.schedule_changes[collector]);
  };
  std::set<std::string> collectors;
  for (const auto& entry : host.schedule) collectors.insert(entry.collector);
  for (const auto& entry : schedule) collectors.insert(entry.collector);
  for (const auto& collector : collectors) compare(collector);
  host.schedule = schedule;
}

void SlotCounter::take_bundle(const verify::VerifiedBundle& verified) {
  const auto& bundle = verified.bundle;
  const auto [place, is_new] = hosts_.try_emplace(std::string(verified.agent));
  auto& host = place->second;
  host.owed_from = verified.owed_from;
  if (is_new) host.schedule = verified.schedule;
  if (!ends_before(bundle.period_from)) {
    note_schedule(host, bundle.period_from, verified.schedule);
  }
  for (const auto& record : bundle.records) {
    const auto* suppressed = std::get_if<RunSuppressed>(&record);
    if (suppressed == nullptr) continue;
    const auto* entry = find_entry(verified.schedule, suppressed->collector);
    host.suppressed[suppressed->collector] +=
        verify::ticks_inside(suppressed->ticks, entry, period_);
  }
}

void SlotCounter::take_run(const verify::VerifiedRun& run, const BlobReader& blobs) {
  const auto found = hosts_.find(run.agent);
  if (found == hosts_.end() || ends_before(run.at)) return;
  auto& host = found->second;
  if (host.policy != run.content.policy) apply_policy(host, run.at, run.content.policy, blobs);
  if (run.outcomes == nullptr) return;
  const auto id = parse_run_id(run.observation.run);
  for (const auto& outcome : *run.outcomes) {
    const auto control = host.controls.find(outcome.control);
    if (control == host.controls.end()) continue;
    if (id) collectors_[outcome.control].insert(id->collector);
    if (run.at < host.owed_from) continue;
    if (outcome.outcome == OutcomeKind::error) {
      ++control->second.sum.errors;
    } else {
      judge(control->second, outcome.check, run.at);
    }
  }
}

HostSlots SlotCounter::close(const verify::Host& host, HostState& state) const {
  HostSlots result{host.agent, host.name, {}, state.policy_unknown};
  for (auto& [control, slots] : state.controls) {
    if (slots.rule != nullptr) {
      for (const auto& check : slots.checks) note_gap(slots.sum, check.since, host.owed_to);
      end_stretch(slots, host.owed_to);
    }
    slots.sum.control = control;
    if (const auto judging = collectors_.find(control); judging != collectors_.end()) {
      const auto count = [](const auto& by_collector, const std::string& collector) {
        const auto found = by_collector.find(collector);
        return found == by_collector.end() ? 0 : found->second;
      };
      for (const auto& collector : judging->second) {
        slots.sum.suppressed += count(state.suppressed, collector);
        slots.sum.changes += count(state.schedule_changes, collector);
      }
    }
    result.controls.push_back(std::move(slots.sum));
  }
  return result;
}

SlotReport SlotCounter::finish(const std::vector<verify::Host>& hosts) {
  SlotReport report;
  report.period = period_;
  for (const auto& host : hosts) {
    const auto found = hosts_.find(host.agent);
    if (found == hosts_.end()) {
      report.hosts.push_back({host.agent, host.name, {}, true});
    } else {
      report.hosts.push_back(close(host, found->second));
    }
  }
  for (auto& [key, change] : changes_) report.changes.push_back(std::move(change));
  std::ranges::stable_sort(report.changes, {}, &SlotChange::first_at);
  report.changes_left_out = changes_left_out_;
  return report;
}

json::Value to_json(const SlotReport& report) {
  json::Array slots;
  json::Array unknown;
  for (const auto& host : report.hosts) {
    if (host.policy_unknown) unknown.emplace_back(host.agent);
    for (const auto& c : host.controls) {
      slots.push_back(json::Object{{"agent", host.agent},
                                   {"host", host.name},
                                   {"control", c.control},
                                   {"frequency_s", c.frequency_s},
                                   {"required", c.required},
                                   {"judged", c.judged},
                                   {"operated", c.operated()},
                                   {"longest_gap_s", c.longest_gap_ms / kMsPerSecond},
                                   {"longest_gap_from", format_instant(c.longest_gap_from)},
                                   {"errors", c.errors},
                                   {"suppressed", c.suppressed},
                                   {"changes", c.changes}});
    }
  }
  json::Array changes;
  for (const auto& change : report.changes) {
    changes.push_back(json::Object{{"kind", to_string(change.kind)},
                                   {"of", change.of},
                                   {"what", change.what},
                                   {"first_at", format_instant(change.first_at)},
                                   {"last_at", format_instant(change.last_at)},
                                   {"times", change.times}});
  }
  return json::Object{{"controls", std::move(slots)},
                      {"changes", std::move(changes)},
                      {"changes_left_out", report.changes_left_out},
                      {"policy_unknown", std::move(unknown)}};
}

}  // namespace vouch::policy
