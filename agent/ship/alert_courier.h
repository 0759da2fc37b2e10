// SPDX-License-Identifier: Apache-2.0
// Delivery of alerts (docs/formats/alert.md): from outbox/alerts/ to their channels, and what
// became of each into receipts/. One channel in trouble delays no other. It alone reads the secrets
// of channels, when it uses them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "alerts/channels/channel.h"
#include "alerts/rules.h"
#include "core/clock.h"
#include "core/result.h"

namespace vouch::ship {

inline constexpr std::string_view kDefaultAlertRules = "/etc/vouch/alerts.yaml";

struct AlertPaths {
  std::string outbox;    // outbox/alerts/
  std::string receipts;  // receipts/
  std::string rules;     // The rule file.
};

struct AlertPass {
  std::size_t waiting = 0;              // Not delivered yet, all channels together.
  std::optional<std::int64_t> wait_ms;  // Until one of those is tried again.
};

using MakeChannel =
    std::function<std::unique_ptr<alerts::Channel>(const alerts::ChannelSpec& spec)>;

class AlertCourier {
 public:
  // Reads the rule file, which must not be writable by others (Errc::denied). `clock` must outlive
  // the courier. Makes receipts/.
  static Result<AlertCourier> open(AlertPaths paths, const Clock& clock,
                                   MakeChannel make = alerts::make_channel);

  // Delivers what is due, each channel in the order of numbers, and removes its own answers once
  // their alert has gone. Reads the rule file again if it was changed; one that is not good is
  // reported and the old one stays. Fails only if the directories cannot be read or written.
  Result<AlertPass> pass();

 private:
  struct Lane {
    std::unique_ptr<alerts::Channel> channel;  // Null: the rule file has none of that name.
    int failures = 0;
    std::int64_t next_try_us = 0;  // Monotonic clock.
  };
  AlertCourier(AlertPaths paths, const Clock& clock, MakeChannel make)
      : paths_(std::move(paths)), clock_(&clock), make_(std::move(make)) {}
  Status read_rules();
  void reread_rules();
  Status tidy(const std::vector<std::int64_t>& numbers);
  [[nodiscard]] bool is_sent(std::int64_t n);
  Status deliver(std::int64_t n, AlertPass& pass);
  alerts::Delivery try_channel(Lane& lane, const alerts::Alert& alert);
  Lane& lane_of(const std::string& channel);
  Status answer(const alerts::Answer& answer);
  [[nodiscard]] std::string answer_path(std::int64_t n) const;

  AlertPaths paths_;
  const Clock* clock_;
  MakeChannel make_;
  alerts::Rules rules_;
  std::string rules_stamp_;  // Which file that was.
  std::map<std::string, Lane, std::less<>> lanes_;
  std::map<std::int64_t, std::string> channel_of_;  // Of alerts that wait; "": cannot be read.
  std::set<std::int64_t> sent_;
};

}  // namespace vouch::ship
