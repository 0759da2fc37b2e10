// SPDX-License-Identifier: Apache-2.0
#include "alerts/engine.h"

#include <algorithm>
#include <set>

#include "alerts/elapsed.h"
#include "alerts/limiter.h"
#include "alerts/telling.h"

namespace vouch::alerts {
namespace {

constexpr std::string_view kOverflowKey = "engine/overflow";
constexpr WallMs kOverdueMs = 1000;

// So many of one source that nobody would read them: the worst stay, the rest is one condition.
std::vector<Condition> bounded(const Report& report) {
  std::vector<Condition> conditions = report.conditions;
  if (conditions.size() <= kConditionsPerReportMax) return conditions;
  std::stable_sort(conditions.begin(), conditions.end(),
                   [](const auto& a, const auto& b) { return a.severity > b.severity; });
  Condition rest;
  const std::size_t more = conditions.size() - (kConditionsPerReportMax - 1);
  rest.key = report.source + "/more";
  rest.kind = conditions[kConditionsPerReportMax - 1].kind;
  rest.severity = conditions[kConditionsPerReportMax - 1].severity;
  rest.title = std::to_string(more) + " more conditions of " + report.source;
  rest.labels = conditions[kConditionsPerReportMax - 1].labels;
  rest.magnitude = static_cast<std::int64_t>(more);
  conditions.resize(kConditionsPerReportMax - 1);
  conditions.push_back(std::move(rest));
  return conditions;
}

void list_condition(State& state, const std::string& source, Condition condition) {
  const auto found = state.conditions.find(condition.key);
  if (found == state.conditions.end()) {
    if (state.conditions.size() >= kConditionsMax) return;  // That is a condition of its own.
    state.touch_condition(condition.key);
    ConditionState& fresh = state.conditions[condition.key];
    fresh.condition = std::move(condition);
    fresh.source = source;
    return;
  }
  ConditionState& known = found->second;
  if (known.listed && known.source == source && known.condition == condition) return;
  known.listed = true;
  known.source = source;
  known.condition = std::move(condition);
  state.touch_condition(found->first);
}

void apply(State& state, const Report& report) {
  std::set<std::string, std::less<>> listed;
  for (const Condition& each : bounded(report)) {
    Condition condition = tidy(each);
    listed.insert(condition.key);
    list_condition(state, report.source, std::move(condition));
  }
  for (auto& [key, known] : state.conditions) {
    if (known.source != report.source || !known.listed || listed.contains(key)) continue;
    known.listed = false;
    state.touch_condition(key);
  }
}

void watch_overflow(State& state) {
  const bool full = state.conditions.size() >= kConditionsMax;
  const auto found = state.conditions.find(kOverflowKey);
  const bool listed = found != state.conditions.end() && found->second.listed;
  if (full == listed) return;
  state.touch_condition(kOverflowKey);
  ConditionState& overflow = state.conditions[std::string(kOverflowKey)];
  overflow.listed = full;
  overflow.source = "engine";
  overflow.condition.key = kOverflowKey;
  overflow.condition.kind = kind::kOverflow;
  overflow.condition.severity = Severity::high;
  overflow.condition.title = "more than " + std::to_string(kConditionsMax) +
                             " conditions at once: the further ones are not told";
}

bool should_fire(const ConditionState& state, WallMs now) {
  const Condition& condition = state.condition;
  return state.listed && condition.from <= now && (condition.until == 0 || now < condition.until);
}

void watch_flapping(const Rules& rules, ConditionState& state, WallMs now) {
  const auto most = static_cast<std::size_t>(rules.flap_changes);
  if (state.changes.size() > most) {
    state.changes.erase(state.changes.begin(), state.changes.end() - rules.flap_changes);
  }
  if (state.flapping) {
    state.flapping = !elapsed(now, state.changes.back(), rules.flap_within_s);
  } else {
    state.flapping =
        state.changes.size() == most && !elapsed(now, state.changes.front(), rules.flap_within_s);
  }
}

// Begins, ends and flapping of one condition. False: it can be forgotten.
bool watch(const Rules& rules, State& state, const std::string& key, ConditionState& known,
           WallMs now) {
  const bool firing = should_fire(known, now);
  const bool was_flapping = known.flapping;
  if (firing != known.firing) {
    known.firing = firing;
    known.changes.push_back(now);
    if (firing) known.since = now;
    known.ended = firing ? 0 : now;
    // It was only for a time: nobody is told that it is over.
    if (!firing && known.listed && known.condition.from <= now) known.told.clear();
    state.touch_condition(key);
  }
  watch_flapping(rules, known, now);
  if (known.flapping != was_flapping) state.touch_condition(key);
  const bool waits = known.listed && known.condition.from > now;
  const bool still =
      known.changes.empty() || elapsed(now, known.changes.back(), rules.flap_within_s);
  return known.firing || waits || known.flapping || !known.told.empty() || !still;
}

}  // namespace

std::vector<Alert> advance(const Rules& rules, const Sender& sender, State& state,
                           const std::vector<Report>& reports, const Moment& moment) {
  for (const Report& report : reports) apply(state, report);
  watch_overflow(state);
  Limiter limiter(rules, sender, state, moment);
  limiter.release_held();
  for (auto each = state.conditions.begin(); each != state.conditions.end();) {
    if (watch(rules, state, each->first, each->second, moment.now)) {
      ++each;
      continue;
    }
    state.touch_condition(each->first);
    each = state.conditions.erase(each);
  }
  tell(rules, sender, state, moment.now, limiter);
  return limiter.take();
}

std::optional<WallMs> next_wake(const Rules& rules, const State& state, WallMs now) {
  std::optional<WallMs> wake = next_telling(rules, state);
  const auto at = [&wake](WallMs when) { wake = wake ? std::min(*wake, when) : when; };
  for (const auto& [key, known] : state.conditions) {
    const Condition& condition = known.condition;
    if (known.listed && condition.from > now) at(condition.from);
    if (known.firing && condition.until != 0) at(condition.until);
    if (known.flapping) at(known.changes.back() + rules.flap_within_s * 1000);
  }
  if (const auto released = next_release(rules, state, now)) at(*released);
  // What is due and waits for its group is looked at each second, not in a busy loop.
  if (wake && *wake <= now) wake = now + kOverdueMs;
  return wake;
}

Alert make_test(std::string channel, Sender sender, WallMs now) {
  Alert alert;
  alert.channel = std::move(channel);
  alert.sender = std::move(sender);
  alert.made = now;
  alert.type = AlertType::test;
  return alert;
}

}  // namespace vouch::alerts
