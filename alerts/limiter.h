// SPDX-License-Identifier: Apache-2.0
// The rate limit of each channel: what is above it is held back, counted, and told in one digest
// when there is room again.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "alerts/alert.h"
#include "alerts/engine.h"
#include "alerts/rules.h"
#include "alerts/state.h"

namespace vouch::alerts {

class Limiter {
 public:
  // All must outlive the limiter.
  Limiter(const Rules& rules, const Sender& sender, State& state, const Moment& moment);

  // Digests of channels that have room again. Forgets channels that are no longer there.
  void release_held();
  // Lets an alert through, or holds it back.
  void send(Alert alert);
  std::vector<Alert> take() { return std::move(alerts_); }

 private:
  bool has_room(const ChannelState& channel) const;
  void let_through(ChannelState& channel, Alert alert);

  const Rules& rules_;
  const Sender& sender_;
  State& state_;
  WallMs now_;
  std::size_t room_;
  std::vector<Alert> alerts_;
};

// When a channel that holds something back has room again.
std::optional<WallMs> next_release(const Rules& rules, const State& state, WallMs now);

}  // namespace vouch::alerts
