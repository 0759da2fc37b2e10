// SPDX-License-Identifier: Apache-2.0
// A small world for tests of the engine: rules from text, a clock that is a number, and a state
// that goes through its stored rows after every step, as a daemon that restarts each time would
// have it.
#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "alerts/engine.h"

namespace vouch::alerts {

inline constexpr WallMs kMinute = 60'000;
inline constexpr WallMs kHour = 60 * kMinute;
inline constexpr WallMs kDay = 24 * kHour;

class EngineWorld {
 public:
  explicit EngineWorld(const std::string& text) {
    auto parsed = parse_rules(text, "rules.yaml");
    if (!parsed) FAIL(parsed.error().message);
    rules = *std::move(parsed);
  }

  std::vector<Alert> step(const std::vector<Report>& reports = {}) {
    State state;
    for (const auto& [key, text] : rows) REQUIRE(state.load(key, text));
    auto alerts = advance(rules, {"agent-1", "web-01"}, state, reports, {now, room});
    for (const auto& [key, text] : state.take_changes()) {
      if (text) rows[key] = *text;
      if (!text) rows.erase(key);
    }
    wake = next_wake(rules, state, now);
    for (const Alert& alert : alerts) {
      const auto bytes = json::write(to_json(alert));
      CHECK(bytes.size() <= kAlertBytesMax);
      const auto again = parse_alert(bytes);
      REQUIRE(again);
      CHECK(json::write(to_json(*again)) == bytes);
    }
    return alerts;
  }
  // Steps whenever the engine asks for it, until `end`.
  std::vector<Alert> run_until(WallMs end) {
    std::vector<Alert> all;
    while (wake && *wake <= end) {
      now = std::max(now, *wake);
      for (auto& alert : step()) all.push_back(std::move(alert));
      ++steps;
      REQUIRE(steps < 1'000'000);
    }
    now = end;
    return all;
  }

  Rules rules;
  std::map<std::string, std::string> rows;
  WallMs now = 1'790'000'000'000;
  std::size_t room = 1000;
  std::optional<WallMs> wake;
  int steps = 0;
};

inline Condition condition(const std::string& check, Severity severity = Severity::high) {
  Condition out;
  out.key = "check/" + check;
  out.kind = kind::kControlDrift;
  out.severity = severity;
  out.title = "Title of " + check;
  out.labels = {
      {"check", check}, {"control", check.substr(0, check.find('.'))}, {"host", "web-01"}};
  out.magnitude = 1;
  return out;
}

inline Report report(std::vector<Condition> conditions, std::string source = "outcomes/users") {
  return {std::move(source), std::move(conditions)};
}

// "check/a firing, check/b resolved" of one alert.
inline std::string said(const Alert& alert) {
  std::string out;
  for (const auto& told : alert.conditions) {
    if (!out.empty()) out += ", ";
    out += told.condition.key + " " + std::string(to_string(told.status));
  }
  return out;
}

inline std::vector<std::string> said(const std::vector<Alert>& alerts) {
  std::vector<std::string> out;
  for (const Alert& alert : alerts) {
    out.push_back(alert.channel + ": " +
                  (alert.type == AlertType::held ? std::string("digest") : said(alert)));
  }
  return out;
}

using Said = std::vector<std::string>;

}  // namespace vouch::alerts
