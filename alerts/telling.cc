// SPDX-License-Identifier: Apache-2.0
#include "alerts/telling.h"

#include <algorithm>

#include "alerts/elapsed.h"
#include "core/json.h"

namespace vouch::alerts {
namespace {

constexpr WallMs kHourMs = 3'600'000;
constexpr WallMs kNeverRepeatedMs = WallMs{366} * 24 * kHourMs;
constexpr std::size_t kMembersBytesMax = kAlertBytesMax - (8u << 10);  // Room for the rest.

// What waits to be told of one group.
struct Telling {
  const Rule* rule = nullptr;
  Labels group;
  std::map<std::string, ConditionStatus> news;  // By condition.
  std::vector<std::string> firing;              // Told before, and still so.
  bool repeats = false;
  Severity worst = Severity::low;
};
using Tellings = std::map<std::string, Telling>;  // By the key of the group.

Labels group_of(const Rule& rule, const Condition& condition) {
  Labels group;
  for (const std::string& name : rule.group_by) group[name] = label_of(condition, name);
  return group;
}

std::string group_key(const Rule& rule, const Labels& group) {
  json::Object values;
  for (const auto& [name, value] : group) values[name] = value;
  return rule.name + "\n" + json::write(values);
}

// What has to be said of a condition, if anything.
std::optional<ConditionStatus> news_of(const ConditionState& state, const Told* told) {
  if (state.flapping) {
    const bool known = told != nullptr && told->status == ConditionStatus::flapping;
    if (known || (told == nullptr && !state.firing)) return std::nullopt;
    return ConditionStatus::flapping;
  }
  if (!state.firing) {
    if (told == nullptr) return std::nullopt;
    return ConditionStatus::resolved;
  }
  const Condition& condition = state.condition;
  const bool same = told != nullptr && told->status == ConditionStatus::firing &&
                    told->kind == condition.kind && told->severity >= condition.severity &&
                    told->magnitude >= condition.magnitude;
  if (same) return std::nullopt;
  return ConditionStatus::firing;
}

bool is_repeat_due(const Rule& rule, const Told& told, WallMs now) {
  return rule.repeat_s > 0 && elapsed(now, told.at, rule.repeat_s);
}

void gather_one(const Rule& rule, const std::string& key, ConditionState& state, WallMs now,
                State& all, Tellings& tellings) {
  const auto found = state.told.find(rule.name);
  const Told* told = found == state.told.end() ? nullptr : &found->second;
  const auto news = news_of(state, told);
  if (news == ConditionStatus::resolved && !rule.resolved) {
    state.told.erase(found);
    return all.touch_condition(key);
  }
  if (!news && (told == nullptr || told->status != ConditionStatus::firing)) return;
  const Labels group = group_of(rule, state.condition);
  Telling& telling = tellings[group_key(rule, group)];
  telling.rule = &rule;
  telling.group = group;
  telling.worst = std::max(telling.worst, state.condition.severity);
  if (news) {
    telling.news[key] = *news;
  } else {
    telling.firing.push_back(key);
    telling.repeats = telling.repeats || is_repeat_due(rule, *told, now);
  }
}

// The rules that a condition goes by: the first that matches, later ones if that says so, and those
// under which it was told of already.
void gather(const Rules& rules, State& state, WallMs now, Tellings& tellings) {
  for (auto& [key, condition] : state.conditions) {
    bool open = true;
    for (const Rule& rule : rules.rules) {
      const bool taken = open && matches(rule.match, condition.condition);
      if (taken && !rule.goes_on) open = false;
      if (!taken && !condition.told.contains(rule.name)) continue;
      if (!rule.channels.empty()) gather_one(rule, key, condition, now, state, tellings);
    }
    const auto forgotten = std::erase_if(condition.told, [&](const auto& told) {
      return std::none_of(rules.rules.begin(), rules.rules.end(), [&](const Rule& rule) {
        return rule.name == told.first && !rule.channels.empty();
      });
    });
    if (forgotten > 0) state.touch_condition(key);
  }
}

ToldCondition told_condition(const Rule& rule, const ConditionState& state, ConditionStatus status,
                             WallMs now) {
  ToldCondition told;
  told.condition = state.condition;
  told.status = status;
  told.since = state.since;
  told.ended = state.firing ? 0 : state.ended;
  if (state.firing) {
    const WallMs holds = rule.repeat_s > 0 ? 2 * rule.repeat_s * 1000 + kHourMs : kNeverRepeatedMs;
    told.holds_until = now + holds;
  }
  return told;
}

std::size_t size_of(const ToldCondition& told) {
  Alert alert;
  alert.conditions.push_back(told);
  return json::write(to_json(alert)).size();
}

void remember(const Rule& rule, State& state, const std::string& key, ConditionStatus status,
              WallMs now) {
  ConditionState& condition = state.conditions.at(key);
  state.touch_condition(key);
  if (status == ConditionStatus::resolved) {
    condition.told.erase(rule.name);
    return;
  }
  condition.told[rule.name] = {status, now, condition.condition.kind, condition.condition.severity,
                               condition.condition.magnitude};
}

// In as many alerts as are needed: nothing is left out.
void send(const Telling& telling, const Sender& sender, State& state, WallMs now,
          Limiter& limiter) {
  const Rule& rule = *telling.rule;
  auto statuses = telling.news;
  if (telling.repeats) {
    for (const std::string& key : telling.firing) statuses[key] = ConditionStatus::firing;
  }
  std::vector<ToldCondition> told;
  for (const auto& [key, status] : statuses) {
    told.push_back(told_condition(rule, state.conditions.at(key), status, now));
  }
  std::stable_sort(told.begin(), told.end(), [](const auto& a, const auto& b) {
    return a.condition.severity > b.condition.severity;
  });
  Alert alert;
  alert.rule = rule.name;
  alert.sender = sender;
  alert.made = now;
  alert.repeat = telling.news.empty();
  alert.group = telling.group;
  std::size_t bytes = 0;
  const auto flush = [&] {
    for (const std::string& channel : rule.channels) {
      alert.channel = channel;
      limiter.send(alert);
    }
    alert.conditions.clear();
    bytes = 0;
  };
  for (ToldCondition& each : told) {
    const std::size_t size = size_of(each);
    const bool full =
        alert.conditions.size() >= kAlertConditionsMax || bytes + size > kMembersBytesMax;
    if (full && !alert.conditions.empty()) flush();
    bytes += size;
    alert.conditions.push_back(std::move(each));
  }
  flush();
  for (const auto& [key, status] : statuses) remember(rule, state, key, status, now);
}

// The rate limit shall hold back the least.
std::vector<const Tellings::value_type*> worst_first(const Tellings& tellings) {
  std::vector<const Tellings::value_type*> order;
  for (const auto& each : tellings) order.push_back(&each);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto* a, const auto* b) { return a->second.worst > b->second.worst; });
  return order;
}

bool is_due(const Rule& rule, const GroupState& group, WallMs now) {
  const bool rested = group.last_sent == 0 || elapsed(now, group.last_sent, rule.group_interval_s);
  return rested && elapsed(now, group.waiting_since, rule.group_wait_s);
}

}  // namespace

void tell(const Rules& rules, const Sender& sender, State& state, WallMs now, Limiter& limiter) {
  Tellings tellings;
  gather(rules, state, now, tellings);
  for (const auto& each : worst_first(tellings)) {
    const auto& [key, telling] = *each;
    const bool has_news = !telling.news.empty();
    GroupState group = state.groups.contains(key) ? state.groups[key] : GroupState{};
    if (has_news && group.waiting_since == 0) group.waiting_since = now;
    if (!has_news) group.waiting_since = 0;
    if (has_news ? is_due(*telling.rule, group, now) : telling.repeats) {
      send(telling, sender, state, now, limiter);
      group = {now, 0};
    }
    GroupState& stored = state.groups[key];
    if (stored.last_sent == group.last_sent && stored.waiting_since == group.waiting_since)
      continue;
    stored = group;
    state.touch_group(key);
  }
  for (auto each = state.groups.begin(); each != state.groups.end();) {
    const auto rule = std::find_if(rules.rules.begin(), rules.rules.end(), [&](const Rule& one) {
      return each->first.starts_with(one.name + "\n");
    });
    const bool rests =
        rule != rules.rules.end() && !elapsed(now, each->second.last_sent, rule->group_interval_s);
    if (rests || tellings.contains(each->first)) {
      ++each;
      continue;
    }
    state.touch_group(each->first);
    each = state.groups.erase(each);
  }
}

std::optional<WallMs> next_telling(const Rules& rules, const State& state) {
  std::optional<WallMs> wake;
  const auto at = [&wake](WallMs when) { wake = wake ? std::min(*wake, when) : when; };
  for (const Rule& rule : rules.rules) {
    for (auto each = state.groups.lower_bound(rule.name + "\n"); each != state.groups.end();
         ++each) {
      if (!each->first.starts_with(rule.name + "\n")) break;
      const GroupState& group = each->second;
      if (group.waiting_since == 0) continue;
      const WallMs rested =
          group.last_sent == 0 ? 0 : group.last_sent + rule.group_interval_s * 1000;
      at(std::max(rested, group.waiting_since + rule.group_wait_s * 1000));
    }
    if (rule.repeat_s == 0) continue;
    for (const auto& [key, condition] : state.conditions) {
      const auto told = condition.told.find(rule.name);
      const bool repeats = told != condition.told.end() && condition.firing &&
                           told->second.status == ConditionStatus::firing;
      if (repeats) at(told->second.at + rule.repeat_s * 1000);
    }
  }
  return wake;
}

}  // namespace vouch::alerts
