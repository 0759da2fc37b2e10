// SPDX-License-Identifier: Apache-2.0
#include "core/clock.h"

#include <fmt/format.h>
#include <time.h>

namespace vouch {
namespace {

constexpr std::int64_t kSecondsPerDay = 86400;
constexpr WallSeconds kYear0 = -62167219200;        // 0000-01-01T00:00:00Z.
constexpr WallSeconds kYear9999End = 253402300799;  // 9999-12-31T23:59:59Z.

std::int64_t microseconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1000000 + now.tv_nsec / 1000;
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  return a / b - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0);
}

std::string format_to_seconds(WallSeconds s) {
  // Out of the four-digit years is out of the format; the nearest end says so better than nonsense.
  if (s < kYear0) s = kYear0;
  if (s > kYear9999End) s = kYear9999End;
  const auto days = floor_divide(s, kSecondsPerDay);
  const auto rest = s - days * kSecondsPerDay;
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     rest / 3600, rest / 60 % 60, rest % 60);
}

// Reads `count` digits at `position`; -1 if there is anything else.
int digits(std::string_view text, std::size_t position, std::size_t count) {
  int value = 0;
  for (std::size_t i = position; i < position + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

Result<WallSeconds> parse_to_seconds(std::string_view text) {
  const Error bad{Errc::invalid, "not a UTC time as 2026-11-21T19:30:00Z"};
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  if (text.size() != kShape.size()) return bad;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] != 'd' && text[i] != kShape[i]) return bad;
  }
  const int year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const int hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || second < 0) return bad;
  if (hour > 23 || minute > 59 || second > 59) return bad;
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return bad;
  const auto days = std::chrono::sys_days{date}.time_since_epoch().count();
  return std::int64_t{days} * kSecondsPerDay + hour * 3600 + minute * 60 + second;
}

}  // namespace

WallMs SystemClock::wall_ms() const {
  return microseconds(CLOCK_REALTIME) / 1000;
}
std::int64_t SystemClock::monotonic_us() const {
  return microseconds(CLOCK_MONOTONIC);
}
std::int64_t SystemClock::boot_us() const {
  return microseconds(CLOCK_BOOTTIME);
}

std::string format_instant(WallMs ms) {
  const auto seconds = floor_divide(ms, 1000);
  return fmt::format("{}.{:03}Z", format_to_seconds(seconds), ms - seconds * 1000);
}

std::string format_second(WallSeconds s) {
  return format_to_seconds(s) + "Z";
}

Result<WallMs> parse_instant(std::string_view text) {
  const Error bad{Errc::invalid, "not a UTC time as 2026-11-21T19:30:02.118Z"};
  if (text.size() != 24 || text[19] != '.' || text[23] != 'Z') return bad;
  const int ms = digits(text, 20, 3);
  const auto seconds = parse_to_seconds(text.substr(0, 19));
  if (ms < 0 || !seconds) return bad;
  return *seconds * 1000 + ms;
}

Result<WallSeconds> parse_second(std::string_view text) {
  if (text.size() != 20 || text[19] != 'Z') {
    return Error{Errc::invalid, "not a UTC time as 2026-11-21T19:30:00Z"};
  }
  return parse_to_seconds(text.substr(0, 19));
}

}  // namespace vouch
