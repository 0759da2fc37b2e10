// SPDX-License-Identifier: Apache-2.0
// The engine of alerts (docs/alerts.md): a pure, deterministic function from what is reported, the
// time and what it remembers to the alerts that are to be sent. No clock, no files: a year takes a
// second.
//
//   State state;                                  rows that were stored: state.load(key, text)
//   auto alerts = advance(rules, sender, state, {reports}, {now, room});
//   for (auto& change : state.take_changes()) …   stored together with the alerts
//   wait until next_wake(rules, state, now), or until there is something to report
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "alerts/alert.h"
#include "alerts/condition.h"
#include "alerts/rules.h"
#include "alerts/state.h"
#include "core/clock.h"

namespace vouch::alerts {

struct Moment {
  WallMs now = 0;        // A clock that goes back makes things due, never silent.
  std::size_t room = 0;  // Alerts that still fit into the queue; what does not is held back.
};

// Takes the reports in order, then decides. An alert has no number yet.
std::vector<Alert> advance(const Rules& rules, const Sender& sender, State& state,
                           const std::vector<Report>& reports, const Moment& moment);

// When advance() has something to do even if nothing is reported, later than `now`; nothing: never.
std::optional<WallMs> next_wake(const Rules& rules, const State& state, WallMs now);

Alert make_test(std::string channel, Sender sender, WallMs now);

}  // namespace vouch::alerts
