// SPDX-License-Identifier: Apache-2.0
// What people do from the command line, each a leaf of the log: revoke a key, decommission an
// agent, declare blobs dropped. Only the process that has the store open appends to its log: the
// command opens the store itself, or, where one is serving, leaves an order in the index, which the
// serving one carries out within a second.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/result.h"
#include "store/committer.h"

namespace vouch::store {

inline constexpr std::size_t kReasonBytesMax = 4u << 10;

struct Order {
  enum class Act { revoke, decommission, drop };
  Act act = Act::revoke;
  std::string agent;                // Empty: that of `keyid`.
  std::string keyid;                // Revoke; empty: the agent's current key.
  std::optional<std::int64_t> seq;  // Revoke: from it on (default: the next). Drop: of the bundle.
  std::string by = "local";         // An account.
  std::string reason;               // Free text; goes into a blob that the leaf's `note` names.
};

struct OrderAnswer {
  bool done = false;
  std::string message;  // For a person: what was done, or why not.
};

std::string write_order(const Order& order);
Result<Order> parse_order(std::string_view text);
std::string write_answer(const OrderAnswer& answer);
Result<OrderAnswer> parse_answer(std::string_view text);

// In a batch. An error is the database's; a refusal is an answer.
Result<OrderAnswer> apply_order(const Order& order, Batch& batch);

// For commands. Errc::unavailable if the serving store does not answer; nothing is done then.
Result<OrderAnswer> carry_out(const std::string& dir, const Clock& clock, const Order& order);

}  // namespace vouch::store
