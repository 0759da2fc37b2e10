// SPDX-License-Identifier: Apache-2.0
#include "alerts/limiter.h"

#include <algorithm>

#include "alerts/elapsed.h"

namespace vouch::alerts {
namespace {

constexpr WallMs kFullQueueMs = 60'000;  // How often a full queue is looked at again.

void hold(Held& held, const Alert& alert, WallMs now) {
  if (held.empty()) held.since = now;
  for (const ToldCondition& told : alert.conditions) {
    const Condition& condition = told.condition;
    (told.status == ConditionStatus::resolved ? held.resolved : held.firing) += 1;
    held.severities[std::string(to_string(condition.severity))] += 1;
    if (held.titles.size() >= kHeldTitlesMax) continue;
    held.titles.push_back(
        tidy_text(std::string(to_string(told.status)) + ": " + condition.title, kTitleBytesMax));
  }
}

}  // namespace

Limiter::Limiter(const Rules& rules, const Sender& sender, State& state, const Moment& moment)
    : rules_(rules), sender_(sender), state_(state), now_(moment.now), room_(moment.room) {
  for (auto each = state_.channels.begin(); each != state_.channels.end();) {
    auto& [name, channel] = *each;
    const auto before = channel.sent.size();
    std::erase_if(channel.sent, [&](WallMs at) { return elapsed(now_, at, rules_.limit_per_s); });
    const bool idle = channel.sent.empty() && channel.held.empty();
    if (channel.sent.size() != before) state_.touch_channel(name);
    if (!idle && rules_.find_channel(name) != nullptr) {
      ++each;
      continue;
    }
    state_.touch_channel(name);
    each = state_.channels.erase(each);
  }
}

bool Limiter::has_room(const ChannelState& channel) const {
  return room_ > 0 && static_cast<std::int64_t>(channel.sent.size()) < rules_.limit_alerts;
}

void Limiter::let_through(ChannelState& channel, Alert alert) {
  --room_;
  channel.sent.push_back(now_);
  alerts_.push_back(std::move(alert));
}

void Limiter::release_held() {
  for (auto& [name, channel] : state_.channels) {
    if (channel.held.empty() || !has_room(channel)) continue;
    Alert digest;
    digest.channel = name;
    digest.sender = sender_;
    digest.made = now_;
    digest.type = AlertType::held;
    digest.held = std::exchange(channel.held, {});
    let_through(channel, std::move(digest));
    state_.touch_channel(name);
  }
}

void Limiter::send(Alert alert) {
  state_.touch_channel(alert.channel);
  ChannelState& channel = state_.channels[alert.channel];
  if (!has_room(channel)) return hold(channel.held, alert, now_);
  let_through(channel, std::move(alert));
}

std::optional<WallMs> next_release(const Rules& rules, const State& state, WallMs now) {
  std::optional<WallMs> wake;
  for (const auto& [name, channel] : state.channels) {
    if (channel.held.empty()) continue;
    const bool limited = static_cast<std::int64_t>(channel.sent.size()) >= rules.limit_alerts;
    const WallMs when =
        limited ? channel.sent.front() + rules.limit_per_s * 1000 : now + kFullQueueMs;
    wake = wake ? std::min(*wake, when) : when;
  }
  return wake;
}

}  // namespace vouch::alerts
