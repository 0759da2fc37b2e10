// SPDX-License-Identifier: Apache-2.0
// What a query has done, in units that are the same on every machine. One unit is an instruction of
// SQLite's, or what takes about as long: kWorkBytes bytes looked at, copied or allocated. A bound
// on instructions alone would not hold, since one of them may be a search through a megabyte.
#pragma once

#include <cstddef>
#include <cstdint>

struct sqlite3_context;

namespace vouch::policy {

inline constexpr std::uint64_t kWorkBytes = 16;

struct Work {
  std::uint64_t done = 0;
  std::uint64_t max = 0;

  [[nodiscard]] bool is_over() const { return done > max; }
  void add(std::uint64_t units) { done += units; }
  void add_bytes(std::uint64_t bytes) { done += bytes / kWorkBytes; }
};

// For a function of ours: adds the units; false, with an error set as the function's result, if
// that is over the bound. The function's user data is the Work.
bool charge(sqlite3_context* context, std::uint64_t units);

}  // namespace vouch::policy
