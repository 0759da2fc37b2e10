// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/release.h"

#include <array>
#include <chrono>

#include "collectors/patch_level/apt_config.h"
#include "collectors/patch_level/stanza.h"

namespace vouch::patch_level {
namespace {

// A number of one to `digits_max` digits; -1 if it is none.
int number(std::string_view text, std::size_t digits_max) {
  if (text.empty() || text.size() > digits_max) return -1;
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

unsigned month_number(std::string_view name) {
  constexpr std::array<std::string_view, 12> kNames = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (unsigned i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return i + 1;
  }
  return 0;
}

// Seconds of "HH:MM:SS"; -1 if it is none.
int seconds_of_day(std::string_view text) {
  if (text.size() == 7) {  // "1:02:03" is seen in the wild.
    const int hour = number(text.substr(0, 1), 1);
    const int rest = seconds_of_day("00:" + std::string(text.substr(2)));
    return text[1] != ':' || hour < 0 || rest < 0 ? -1 : hour * 3600 + rest;
  }
  if (text.size() != 8 || text[2] != ':' || text[5] != ':') return -1;
  const int hour = number(text.substr(0, 2), 2);
  const int minute = number(text.substr(3, 2), 2);
  const int second = number(text.substr(6, 2), 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return -1;
  return (hour * 60 + minute) * 60 + second;
}

// The text between clear-sign header and signature; the whole text if it is not armoured.
Result<std::string_view> signed_text(std::string_view text) {
  if (!text.starts_with("-----BEGIN PGP SIGNED MESSAGE-----")) return text;
  const auto header_end = std::min(text.find("\n\n"), text.find("\n\r\n"));
  const auto signature = text.find("\n-----BEGIN PGP SIGNATURE-----");
  if (header_end == text.npos || signature == text.npos || signature < header_end ||
      text.find("\n-----END PGP SIGNATURE-----", signature) == text.npos) {
    return Error{Errc::invalid, "the signed text is cut off; run apt-get update"};
  }
  return text.substr(header_end + 1, signature - header_end);
}

}  // namespace

bool Release::is_security() const {
  return suite.ends_with("-security") || codename.ends_with("-security") ||
         equal_ignoring_case(label, "Debian-Security");
}

std::optional<WallSeconds> parse_release_date(std::string_view text) {
  const auto parts = words(text);
  if (parts.size() != 6 || !parts[0].ends_with(',')) return std::nullopt;
  const int day = number(parts[1], 2);
  const unsigned month = month_number(parts[2]);
  const int year = number(parts[3], 4);
  const int seconds = seconds_of_day(parts[4]);
  bool is_utc = false;
  for (const std::string_view zone : {"UTC", "GMT", "Z", "+0000", "-0000"}) {
    is_utc = is_utc || parts[5] == zone;
  }
  if (day < 0 || year < 1970 || seconds < 0 || !is_utc) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch() / std::chrono::seconds(1) + seconds;
}

Result<Release> parse_release(std::string_view text) {
  const auto body = signed_text(text);
  if (!body) return body.error();
  Release release;
  release.origin = raw_field(*body, "Origin");
  release.label = raw_field(*body, "Label");
  release.suite = raw_field(*body, "Suite");
  release.codename = raw_field(*body, "Codename");
  release.version = raw_field(*body, "Version");
  release.not_automatic = apt_bool(raw_field(*body, "NotAutomatic"), false);
  release.but_automatic_upgrades = apt_bool(raw_field(*body, "ButAutomaticUpgrades"), false);
  const auto date = raw_field(*body, "Date");
  const auto valid_until = raw_field(*body, "Valid-Until");
  release.date = parse_release_date(date);
  release.valid_until = parse_release_date(valid_until);
  if (!date.empty() && !release.date) return Error{Errc::invalid, "Date is no date"};
  if (!valid_until.empty() && !release.valid_until) {
    return Error{Errc::invalid, "Valid-Until is no date"};
  }
  if (date.empty() && release.origin.empty() && release.suite.empty() && release.codename.empty() &&
      release.label.empty()) {
    return Error{Errc::invalid, "no Release file: none of its fields is there"};
  }
  return release;
}

}  // namespace vouch::patch_level
