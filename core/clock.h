// SPDX-License-Identifier: Apache-2.0
// Time: the seam, the two text forms, and arithmetic in UTC.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vouch {

// Milliseconds since 1970-01-01T00:00:00Z, what an *instant* counts; seconds, what a *second*
// counts.
using WallMs = std::int64_t;
using WallSeconds = std::int64_t;

// Where time comes from. Implementations are safe to call from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallMs wall_ms() const = 0;             // CLOCK_REALTIME: may jump.
  virtual std::int64_t monotonic_us() const = 0;  // CLOCK_MONOTONIC: stops in suspend.
  virtual std::int64_t boot_us() const = 0;       // CLOCK_BOOTTIME: does not.
};

class SystemClock final : public Clock {
 public:
  WallMs wall_ms() const override;
  std::int64_t monotonic_us() const override;
  std::int64_t boot_us() const override;
};

// "2026-11-21T19:30:02.118Z": exactly three decimals. Years 0000 to 9999.
std::string format_instant(WallMs ms);
// "2026-11-21T19:30:00Z".
std::string format_second(WallSeconds s);
// Strict: the exact forms above, real calendar dates; leap seconds (:60) are refused.
Result<WallMs> parse_instant(std::string_view text);
Result<WallSeconds> parse_second(std::string_view text);

}  // namespace vouch
