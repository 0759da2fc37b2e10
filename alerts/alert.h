// SPDX-License-Identifier: Apache-2.0
// An alert: one message about conditions, to one channel (docs/formats/alert.md). A copy for
// people, never evidence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerts/condition.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"

namespace vouch::alerts {

inline constexpr std::size_t kAlertBytesMax = 64u << 10;
inline constexpr std::size_t kAlertConditionsMax = 50;
inline constexpr std::size_t kHeldTitlesMax = 20;

struct Sender {
  std::string id;    // The agent's id, or the store's origin.
  std::string name;  // The host.
};

enum class ConditionStatus { firing, resolved, flapping };
std::string_view to_string(ConditionStatus status);

struct ToldCondition {
  Condition condition;
  ConditionStatus status = ConditionStatus::firing;
  WallMs since = 0;
  WallMs ended = 0;        // 0: it has not.
  WallMs holds_until = 0;  // 0: it does not fire.
};

// What the rate limit held back.
struct Held {
  WallMs since = 0;
  std::int64_t firing = 0;
  std::int64_t resolved = 0;
  std::map<std::string, std::int64_t> severities;
  std::vector<std::string> titles;

  [[nodiscard]] bool empty() const { return firing + resolved == 0; }
};

enum class AlertType { conditions, held, test };
std::string_view to_string(AlertType type);

struct Alert {
  std::int64_t n = 0;  // Given when it is queued.
  std::string channel;
  std::string rule;
  Sender sender;
  WallMs made = 0;
  AlertType type = AlertType::conditions;
  bool repeat = false;
  Labels group;
  std::vector<ToldCondition> conditions;
  Held held;
};

json::Value to_json(const Alert& alert);
json::Value to_json(const Held& held);
Result<Held> parse_held(const json::Value& value);
// Strict on types and bounds. Errc::invalid names the member.
Result<Alert> parse_alert(std::string_view text);

// What vouch-ship says became of an alert.
struct Answer {
  std::int64_t n = 0;
  std::optional<WallMs> sent;
  std::optional<WallMs> failed;
  std::string message;
};
inline constexpr std::size_t kAnswerBytesMax = 4096;
inline constexpr std::size_t kAnswerMessageBytesMax = 512;

std::string write_answer(const Answer& answer);
Result<Answer> parse_answer(std::string_view text);

}  // namespace vouch::alerts
