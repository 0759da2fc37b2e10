// SPDX-License-Identifier: Apache-2.0
// How fast a server lets itself be asked: Retry-After, and the counts of X-RateLimit-Remaining and
// X-RateLimit-Reset (GitHub), X-Rate-Limit-… (Okta), RateLimit-….
#pragma once

#include <cstdint>

#include "core/clock.h"
#include "core/http/http_client.h"

namespace vouch::http_json {

struct Pace {
  bool is_refused = false;  // Not now: ask this again after the wait.
  std::int64_t wait_s = 0;  // Before anything more is asked.
};

Pace pace_of(const http::Reply& reply, WallSeconds now);

}  // namespace vouch::http_json
