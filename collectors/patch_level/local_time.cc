// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/local_time.h"

#include <charconv>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "core/file.h"

namespace vouch::patch_level {
namespace {

constexpr std::size_t kZoneBytesMax = std::size_t{64} << 10;

// A number of exactly `digits` digits, followed by `after` unless that is 0.
std::optional<int> cut_number(std::string_view& text, std::size_t digits, char after) {
  if (text.size() < digits + (after == 0 ? 0 : 1)) return std::nullopt;
  int value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + digits, value);
  if (code != std::errc() || end != text.data() + digits || text.front() == '-')
    return std::nullopt;
  if (after != 0 && text[digits] != after) return std::nullopt;
  text.remove_prefix(digits + (after == 0 ? 0 : 1));
  return value;
}

}  // namespace

LocalTime::LocalTime(const Root& root) {
  if (const char* zone = std::getenv("TZ")) before_ = zone;
  std::string name = "UTC0";
  const auto bytes = root.read("/etc/localtime", kZoneBytesMax);
  if (bytes && bytes->starts_with("TZif")) {
    // The C library reads a zone by its path: here, of a file in memory, since the root may be
    // another than its own.
    if (auto file = memory_file(*bytes)) {
      zone_ = *std::move(file);
      name = ":/proc/self/fd/" + std::to_string(zone_.get());
    }
  }
  ::setenv("TZ", name.c_str(), 1);
  ::tzset();
}

LocalTime::~LocalTime() {
  if (!before_) {
    ::unsetenv("TZ");  // No tzset(3), which would read the zone of this host for an image.
    return;
  }
  ::setenv("TZ", before_->c_str(), 1);
  ::tzset();
}

std::optional<WallSeconds> LocalTime::parse(std::string_view text) const {
  std::tm parts{};
  const auto year = cut_number(text, 4, '-');
  const auto month = year ? cut_number(text, 2, '-') : std::nullopt;
  const auto day = month ? cut_number(text, 2, ' ') : std::nullopt;
  if (!day) return std::nullopt;
  while (text.starts_with(' ')) text.remove_prefix(1);
  const auto hour = cut_number(text, 2, ':');
  const auto minute = hour ? cut_number(text, 2, ':') : std::nullopt;
  const auto second = minute ? cut_number(text, 2, 0) : std::nullopt;
  if (!second || *year < 1970 || *month < 1 || *month > 12 || *day < 1 || *day > 31 || *hour > 23 ||
      *minute > 59 || *second > 60) {
    return std::nullopt;
  }
  parts.tm_year = *year - 1900;
  parts.tm_mon = *month - 1;
  parts.tm_mday = *day;
  parts.tm_hour = *hour;
  parts.tm_min = *minute;
  parts.tm_sec = *second;
  parts.tm_isdst = -1;
  const std::time_t seconds = std::mktime(&parts);
  if (seconds < 0 || parts.tm_mday != *day) return std::nullopt;  // 31 February.
  return seconds;
}

}  // namespace vouch::patch_level
