// SPDX-License-Identifier: Apache-2.0
// The one way in which the engine compares times.
#pragma once

#include <cstdint>

#include "core/clock.h"

namespace vouch::alerts {

// True if `seconds` have passed since then; also if the clock has gone back behind it.
constexpr bool elapsed(WallMs now, WallMs then, std::int64_t seconds) {
  return now < then || now - then >= seconds * 1000;
}

}  // namespace vouch::alerts
