// SPDX-License-Identifier: Apache-2.0
// What the engine remembers, in rows that whoever uses it keeps: a key and a JSON text each. After
// every step the rows that changed are taken out with take_changes() and stored in the transaction
// that stores what caused the step.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alerts/alert.h"
#include "alerts/condition.h"
#include "core/clock.h"
#include "core/result.h"

namespace vouch::alerts {

inline constexpr std::size_t kConditionsMax = 20'000;

// What was told of a condition under one rule, last.
struct Told {
  ConditionStatus status = ConditionStatus::firing;
  WallMs at = 0;
  std::string kind;
  Severity severity = Severity::low;
  std::int64_t magnitude = 0;
};

struct ConditionState {
  Condition condition;
  std::string source;
  bool listed = true;   // Its source says that it is there.
  bool firing = false;  // Listed, and from <= now < until.
  WallMs since = 0;
  WallMs ended = 0;
  std::vector<WallMs> changes;  // When it began or ended: the last flap_changes.
  bool flapping = false;
  std::map<std::string, Told, std::less<>> told;  // By rule.
};

// Conditions that share their alerts.
struct GroupState {
  WallMs last_sent = 0;
  WallMs waiting_since = 0;  // 0: nothing waits to be told.
};

struct ChannelState {
  std::vector<WallMs> sent;  // Within the window of the rate limit.
  Held held;
};

// A row to be stored, or (no text) to be removed.
using Change = std::pair<std::string, std::optional<std::string>>;

class State {
 public:
  std::map<std::string, ConditionState, std::less<>> conditions;  // By key.
  std::map<std::string, GroupState, std::less<>> groups;          // By rule and values.
  std::map<std::string, ChannelState, std::less<>> channels;      // By name.

  // Errc::corrupt names the row.
  Status load(std::string_view key, std::string_view text);

  void touch_condition(std::string_view key) { touched_.insert("c/" + std::string(key)); }
  void touch_group(std::string_view key) { touched_.insert("g/" + std::string(key)); }
  void touch_channel(std::string_view key) { touched_.insert("l/" + std::string(key)); }
  // What was touched since the last call, as it is now.
  std::vector<Change> take_changes();

 private:
  std::set<std::string> touched_;
};

}  // namespace vouch::alerts
