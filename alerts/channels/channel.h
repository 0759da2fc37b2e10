// SPDX-License-Identifier: Apache-2.0
// The seam to whoever is told. Every implementation passes the contract of contract_test.cc:
//
// - delivered means that the other side took it; anything else says why, in words that hold no
//   secret, and may be tried again;
// - it returns within the channel's timeout, whatever the other side does;
// - what it needs (a secret, a certificate) is read anew each time: it may have been changed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "alerts/alert.h"
#include "alerts/rules.h"

namespace vouch::alerts {

struct Delivery {
  bool delivered = false;
  std::string message;                        // Why not.
  std::optional<std::int64_t> retry_after_s;  // Asked for by the other side.

  static Delivery done() { return {true, "", std::nullopt}; }
  static Delivery failed(std::string why) { return {false, std::move(why), std::nullopt}; }
};

class Channel {
 public:
  virtual ~Channel() = default;
  virtual Delivery deliver(const Alert& alert, WallMs now) = 0;
};

// The implementation for a kind. `spec` is kept.
std::unique_ptr<Channel> make_channel(const ChannelSpec& spec);

}  // namespace vouch::alerts
