// SPDX-License-Identifier: Apache-2.0
#include "collectors/http_json/pace.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>

namespace vouch::http_json {
namespace {

constexpr std::array kPrefixes{"x-ratelimit-", "x-rate-limit-", "ratelimit-"};
constexpr std::int64_t kUnsaidSeconds = 60;  // Refused, without a word about when.
// A reset is a time since 1970 with some servers, and seconds from now with others.
constexpr std::int64_t kSmallestTime = 1'000'000'000;
constexpr std::int64_t kSecondsMax = std::int64_t{366} * 86400;

std::optional<std::int64_t> number(const http::Reply& reply, const std::string& word) {
  for (const std::string prefix : kPrefixes) {
    const std::string text = reply.header(prefix + word);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (!text.empty() && error == std::errc() && end == text.data() + text.size() && value >= 0) {
      return value;
    }
  }
  return std::nullopt;
}

}  // namespace

Pace pace_of(const http::Reply& reply, WallSeconds now) {
  const bool is_used_up = number(reply, "remaining") == 0;
  const auto reset = number(reply, "reset");
  Pace pace;
  pace.is_refused = reply.status == 429 ||
                    (reply.status == 403 && (is_used_up || reply.retry_after_s)) ||
                    (reply.status == 503 && reply.retry_after_s);
  if (reply.retry_after_s && pace.is_refused) {
    pace.wait_s = *reply.retry_after_s;
  } else if (is_used_up && reset) {
    // One second more: their clock and ours are not the same.
    pace.wait_s = *reset >= kSmallestTime ? *reset - now + 1 : *reset + 1;
  } else if (pace.is_refused) {
    pace.wait_s = kUnsaidSeconds;
  }
  pace.wait_s = std::clamp<std::int64_t>(pace.wait_s, 0, kSecondsMax);
  return pace;
}

}  // namespace vouch::http_json
