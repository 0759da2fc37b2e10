// SPDX-License-Identifier: Apache-2.0
// The sections of the configuration that say when not to collect: `maintenance` and `busy`.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "agent/vouchd/config.h"
#include "agent/vouchd/scheduler.h"
#include "core/yaml_section.h"
#include "proto/names.h"

namespace vouch::agent {
namespace {

constexpr std::int64_t kDaySeconds = 86400;
constexpr std::int64_t kMillisecondsMax = 1'000'000'000;
constexpr std::size_t kWindowCollectorsMax = 256;
// In the order of their distance from kAnchorBase, which is a Monday.
constexpr std::array<std::string_view, 7> kDays{"monday", "tuesday",  "wednesday", "thursday",
                                                "friday", "saturday", "sunday"};

bool is_day(std::string_view text) {
  return std::find(kDays.begin(), kDays.end(), text) != kDays.end();
}

// "02:30", in seconds of the day.
std::optional<std::int64_t> parse_time_of_day(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  std::array<std::int64_t, 2> parts{};
  for (std::size_t i = 0; i < 2; ++i) {
    const char* const begin = text.data() + 3 * i;
    const auto [end, error] = std::from_chars(begin, begin + 2, parts[i]);
    if (error != std::errc{} || end != begin + 2 || parts[i] < 0) return std::nullopt;
  }
  if (parts[0] > 23 || parts[1] > 59) return std::nullopt;
  return parts[0] * 3600 + parts[1] * 60;
}

void take_second(YamlSection& section, std::string_view key, std::optional<WallSeconds>& out) {
  const yaml::Node* node = section.take(key);
  if (node == nullptr) return;
  if (const auto second = parse_second(node->scalar)) {
    out = *second;
  } else {
    section.fail(*node, fmt::format("{}: expected a time such as 2026-12-05T22:00:00Z", key));
  }
}

Status read_weekly(const yaml::Node& node, std::string_view file_name, Window& window) {
  YamlSection section(node, file_name, "weekly");
  std::string day;
  std::string time;
  std::int64_t duration_s = 0;
  section.text("day", day, is_day, "a day in full: monday to sunday");
  section.text(
      "time", time, [](std::string_view text) { return parse_time_of_day(text).has_value(); },
      "a time in UTC such as \"02:30\"");
  section.number("duration", duration_s, parse_duration, 60, kWeekSeconds - 3600);
  if (day.empty() || time.empty() || duration_s == 0) {
    section.fail(node, "weekly: needs day, time and duration");
  }
  if (auto status = section.finish(); !status) return status;
  const auto index = std::find(kDays.begin(), kDays.end(), day) - kDays.begin();
  window.from = kAnchorBase + index * kDaySeconds + parse_time_of_day(time).value_or(0);
  window.until = window.from + duration_s;
  window.repeat_s = kWeekSeconds;
  return Ok{};
}

Result<Window> read_window(const yaml::Node& node, std::string_view file_name) {
  Window window;
  YamlSection section(node, file_name, "a maintenance window");
  std::optional<WallSeconds> from;
  std::optional<WallSeconds> until;
  section.text("by", window.by, is_window_text, "who decided it, in one line of up to 200 bytes");
  section.text("reason", window.reason, is_window_text, "why, in one line of up to 200 bytes");
  take_second(section, "from", from);
  take_second(section, "until", until);
  section.texts("collectors", window.collectors, kWindowCollectorsMax, is_collector_name,
                "names of collectors");
  const yaml::Node* weekly = section.take("weekly");
  if (window.by.empty() || window.reason.empty()) {
    section.fail(node, "maintenance: each window says by whom and the reason");
  }
  if (weekly == nullptr ? !from || !until : from || until) {
    section.fail(node, "maintenance: a window has from and until, or weekly");
  }
  if (from && until && (*until <= *from || *until - *from > kWindowSecondsMax)) {
    section.fail(node, "maintenance: until is after from, and at most 31 days after it");
  }
  if (auto status = section.finish(); !status) return std::move(status).error();
  if (weekly != nullptr) {
    if (auto read = read_weekly(*weekly, file_name, window); !read) return std::move(read).error();
    return window;
  }
  window.from = from.value_or(0);
  window.until = until.value_or(0);
  return window;
}

}  // namespace

Status read_maintenance(const yaml::Node& node, std::string_view file_name, Config& config) {
  if (node.kind != yaml::Node::Kind::sequence || node.items.size() > kWindowsMax) {
    return yaml::error_at(
        file_name, node,
        fmt::format("maintenance: expected a list of up to {} windows", kWindowsMax));
  }
  for (const yaml::Node& item : node.items) {
    auto window = read_window(item, file_name);
    if (!window) return std::move(window).error();
    for (const std::string& name : window->collectors) {
      if (config.find(name) != nullptr) continue;
      return yaml::error_at(file_name, item,
                            fmt::format("maintenance: no collector {} is configured", name));
    }
    config.maintenance.push_back(*std::move(window));
  }
  return Ok{};
}

Status read_busy(const yaml::Node& node, std::string_view file_name, BusyLimits& busy) {
  YamlSection section(node, file_name, "busy");
  section.number("delay_max", busy.delay_s_max, parse_duration, 0, 3600);
  section.number("pressure", busy.pressure, parse_count, 1, 100);
  section.number("load", busy.load, parse_count, 1, 100'000);
  return section.finish();
}

Result<std::int64_t> parse_milliseconds(std::string_view text) {
  const bool whole_seconds = !text.ends_with("ms") && text.ends_with('s');
  if (!whole_seconds && !text.ends_with("ms")) {
    return Error{Errc::invalid, "expected a time such as 500ms or 2s"};
  }
  text.remove_suffix(whole_seconds ? 1 : 2);
  const auto number = parse_count(text);
  if (!number || *number > kMillisecondsMax) {
    return Error{Errc::invalid, "expected a time such as 500ms or 2s"};
  }
  return whole_seconds ? *number * 1000 : *number;
}

}  // namespace vouch::agent
