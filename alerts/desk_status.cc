// SPDX-License-Identifier: Apache-2.0
// What people are shown of alerts.
#include <algorithm>

#include "alerts/desk.h"

namespace vouch::alerts {
namespace {

// An answer on the control socket is one line of at most 64 KiB.
constexpr std::size_t kListBytesMax = 24u << 10;
constexpr std::size_t kValueBytesMax = 160;

// Adds what still fits; false: it is full.
bool add(json::Array& list, std::size_t& bytes, json::Value value) {
  bytes += json::write(value).size() + 1;
  if (bytes > kListBytesMax) return false;
  list.push_back(std::move(value));
  return true;
}

json::Value second_of(WallMs ms) {
  return ms == 0 ? json::Value() : json::Value(format_second(ms / 1000));
}

json::Value alert_to_json(const AlertOnRecord& alert) {
  json::Object out{{"n", alert.n},         {"channel", alert.channel},
                   {"type", alert.type},   {"summary", alert.summary},
                   {"state", alert.state}, {"made", format_instant(alert.made)}};
  if (alert.sent != 0) out["sent"] = format_instant(alert.sent);
  if (alert.failed != 0 && alert.sent == 0) {
    out["failed"] = format_instant(alert.failed);
    out["message"] = alert.message;
  }
  return out;
}

}  // namespace

json::Value Desk::summary() {
  json::Object out{{"channels", static_cast<std::int64_t>(rules_.channels.size())}};
  std::int64_t firing = 0;
  for (const auto& [key, known] : memory_.conditions) firing += known.firing ? 1 : 0;
  out["firing"] = firing;
  const auto waiting = ledger_.waiting();
  if (!waiting) return out;
  out["waiting"] = static_cast<std::int64_t>(waiting->size());
  for (const AlertOnRecord& each : *waiting) {
    if (each.failed == 0) continue;
    out["trouble"] = each.channel + ": " + each.message;
    break;
  }
  return out;
}

Result<json::Value> Desk::list(std::int64_t at_most) {
  auto latest = ledger_.latest(at_most);
  if (!latest) return std::move(latest).error();
  json::Array alerts;
  std::size_t bytes = 0;
  for (const AlertOnRecord& each : *latest) {
    if (!add(alerts, bytes, alert_to_json(each))) break;
  }
  std::vector<const ConditionState*> worst;
  for (const auto& [key, known] : memory_.conditions) {
    if (known.firing) worst.push_back(&known);
  }
  std::stable_sort(worst.begin(), worst.end(), [](const auto* a, const auto* b) {
    return a->condition.severity > b->condition.severity;
  });
  json::Array firing;
  bytes = 0;
  for (const auto* known : worst) {
    const Condition& condition = known->condition;
    json::Object one{{"key", condition.key},
                     {"kind", condition.kind},
                     {"severity", to_string(condition.severity)},
                     {"title", condition.title},
                     {"value", tidy_text(condition.value, kValueBytesMax)},
                     {"since", second_of(known->since)},
                     {"flapping", known->flapping}};
    if (!add(firing, bytes, std::move(one))) break;
  }
  json::Array channels;
  for (const auto& channel : rules_.channels) {
    channels.push_back(json::Object{{"name", channel.name}, {"kind", to_string(channel.kind)}});
  }
  return json::Value(json::Object{{"firing", std::move(firing)},
                                  {"firing_total", static_cast<std::int64_t>(worst.size())},
                                  {"alerts", std::move(alerts)},
                                  {"channels", std::move(channels)}});
}

}  // namespace vouch::alerts
