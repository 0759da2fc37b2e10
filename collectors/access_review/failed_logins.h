// SPDX-License-Identifier: Apache-2.0
// Failed logins as counts: btmp(5), whose records are those of wtmp, and the tallies of
// pam_faillock. What was typed as a name may be a password: names that are no account are counted
// together, and no such name leaves this module.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace vouch::access {

// Counts by account and day.
class FailedLogins {
 public:
  // `accounts` are the names that may be shown. Records before `since` (seconds since 1970) are
  // not counted.
  FailedLogins(const std::set<std::string, std::less<>>& accounts, std::int64_t since);

  // Whole records; what is left over at the end is ignored.
  void feed(std::string_view records);

  // (account, first second of the day) → attempts; the empty name is that of all others.
  using Counts = std::map<std::pair<std::string, std::int64_t>, std::int64_t>;
  [[nodiscard]] const Counts& counts() const { return counts_; }
  // The time of the oldest record that was fed, counted or not.
  [[nodiscard]] std::optional<std::int64_t> oldest() const { return oldest_; }
  // Records whose type does not exist: the file is damaged, or of another architecture.
  [[nodiscard]] std::size_t strange_records() const { return strange_; }

 private:
  std::set<std::string, std::less<>> accounts_;  // Cut as btmp cuts them.
  std::int64_t since_;
  Counts counts_;
  std::optional<std::int64_t> oldest_;
  std::size_t strange_ = 0;
};

inline constexpr std::int64_t kSecondsPerDay = 86'400;

// One file of pam_faillock's directory.
struct Tally {
  std::int64_t failures = 0;           // Those that count towards the lock.
  std::optional<std::int64_t> newest;  // Of them.
  bool is_torn = false;                // Bytes at the end that are no record.
};
Tally parse_tally(std::string_view bytes);

}  // namespace vouch::access
