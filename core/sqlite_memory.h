// SPDX-License-Identifier: Apache-2.0
// What SQLite allocates, counted by thread and to the byte that it asks for, so that a bound on
// memory has the same answer on every machine: SQLite's own count is of the whole process.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/result.h"

namespace vouch::sqlite {

// Gives SQLite the counted allocator. Before its first other use in the process; any number of
// times. core/sqlite and the policy engine call it themselves.
Status count_allocations();

// Counts what SQLite allocates and frees on this thread, for as long as it lives. One at a time on
// each thread. Over the bound SQLite gets no memory, which it reports as SQLITE_NOMEM.
class AllocationMeter {
 public:
  explicit AllocationMeter(std::size_t in_use_max);
  ~AllocationMeter();
  AllocationMeter(const AllocationMeter&) = delete;
  AllocationMeter& operator=(const AllocationMeter&) = delete;

  [[nodiscard]] std::uint64_t allocated() const { return allocated_; }  // All of it, ever.
  [[nodiscard]] bool is_exceeded() const { return exceeded_; }

  // For the allocator alone.
  bool take(std::size_t bytes);
  void give_back(std::size_t bytes) { in_use_ -= static_cast<std::int64_t>(bytes); }

 private:
  std::int64_t in_use_ = 0;  // Below zero: more was freed of what was there before.
  std::int64_t in_use_max_;
  std::uint64_t allocated_ = 0;
  bool exceeded_ = false;
};

// Stops the counting of this thread for as long as it lives: for what is kept beyond the query that
// happens to need it first.
class AllocationPause {
 public:
  AllocationPause();
  ~AllocationPause();
  AllocationPause(const AllocationPause&) = delete;
  AllocationPause& operator=(const AllocationPause&) = delete;

 private:
  AllocationMeter* paused_;
};

}  // namespace vouch::sqlite
