// SPDX-License-Identifier: Apache-2.0
// Judgements, and the memory of them: most tables are the same at the next run, and after the next
// start.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proto/outcomes.h"

namespace vouch::policy {

// What a check says before waivers.
struct Judgement {
  OutcomeKind kind = OutcomeKind::error;  // Never `waived`.
  std::string message;
  std::string findings;  // A table blob; for pass and fail.
  std::string findings_digest;
  std::int64_t violations = 0;
};

// Remembers judgements by everything that they depend on: check, parameters, digests of the tables
// read, and :now where the query binds it. What the last evaluation did not use is forgotten, per
// collector. One memo is used by one thread at a time.
class Memo {
 public:
  using Judgements = std::unordered_map<std::string, Judgement>;  // By Judge::memo_key().

  Judgements& of(const std::string& collector) { return by_collector_[collector]; }
  void count(bool hit) { ++(hit ? hits_ : misses_); }
  [[nodiscard]] std::uint64_t hits() const { return hits_; }
  [[nodiscard]] std::uint64_t misses() const { return misses_; }

  // As JSON, for restore() of the very same program: another build may judge otherwise. What is
  // large is left out, and judged again.
  [[nodiscard]] std::string write() const;
  // Adds what `form` holds. What is damaged is left out. Digests are computed anew.
  void restore(std::string_view form);

 private:
  std::map<std::string, Judgements, std::less<>> by_collector_;
  std::uint64_t hits_ = 0;
  std::uint64_t misses_ = 0;
};

inline constexpr std::size_t kKeptFindingsBytesMax = 16u << 10;  // Of one check.
inline constexpr std::size_t kKeptMemoBytesMax = 4u << 20;       // Of all findings kept.

}  // namespace vouch::policy
