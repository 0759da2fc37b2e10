// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/maintenance.h"

#include <algorithm>

namespace vouch::agent {
namespace {

constexpr std::size_t kTextBytesMax = 200;
constexpr int kSlicesMax = 128;  // A year of weekly windows is 104.

bool concerns(const Window& window, std::string_view collector) {
  return window.collectors.empty() || std::find(window.collectors.begin(), window.collectors.end(),
                                                collector) != window.collectors.end();
}

// The end of the occurrence that holds `at`.
std::optional<WallSeconds> end_of_current(const Window& window, WallSeconds at) {
  if (at < window.from) return std::nullopt;
  const std::int64_t past =
      window.repeat_s == 0 ? 0 : (at - window.from) / window.repeat_s * window.repeat_s;
  const WallSeconds end = window.until + past;
  return at < end ? std::optional(end) : std::nullopt;
}

// The begin of the first occurrence after `at`.
std::optional<WallSeconds> next_begin(const Window& window, WallSeconds at) {
  if (at < window.from) return window.from;
  if (window.repeat_s == 0) return std::nullopt;
  return window.from + ((at - window.from) / window.repeat_s + 1) * window.repeat_s;
}

std::optional<WallSeconds> next_begin(const std::vector<Window>& windows,
                                      std::string_view collector, WallSeconds at) {
  std::optional<WallSeconds> earliest;
  for (const Window& window : windows) {
    if (!concerns(window, collector)) continue;
    const auto begin = next_begin(window, at);
    if (begin && (!earliest || *begin < *earliest)) earliest = begin;
  }
  return earliest;
}

Result<Window> parse_window(const json::Value& value) {
  Window window;
  auto by = json::get_string(value, "by");
  if (!by) return std::move(by).error();
  auto reason = json::get_string(value, "reason");
  if (!reason) return std::move(reason).error();
  window.by = *std::move(by);
  window.reason = *std::move(reason);
  for (const auto& [name, out] : {std::pair{"from", &window.from}, {"until", &window.until}}) {
    auto text = json::get_string(value, name);
    if (!text) return std::move(text).error();
    auto second = parse_second(*text);
    if (!second) return std::move(second).error().in(name);
    *out = *second;
  }
  if (value.find("repeat_s") != nullptr) {
    auto repeat = json::get_integer(value, "repeat_s");
    if (!repeat) return std::move(repeat).error();
    window.repeat_s = *repeat;
  }
  if (const auto* names = value.find("collectors"); names != nullptr) {
    if (names->if_array() == nullptr) return Error{Errc::invalid, "collectors: expected an array"};
    for (const json::Value& name : *names->if_array()) {
      if (name.if_string() == nullptr) return Error{Errc::invalid, "collectors: expected names"};
      window.collectors.emplace_back(*name.if_string());
    }
  }
  if (window.until <= window.from ||
      (window.repeat_s != 0 && window.repeat_s <= window.until - window.from)) {
    return Error{Errc::invalid, "a window ends after it begins, and before it repeats"};
  }
  return window;
}

}  // namespace

std::optional<Suppression> find_suppression(const std::vector<Window>& windows,
                                            std::string_view collector, WallSeconds at) {
  std::optional<Suppression> found;
  for (const Window& window : windows) {
    if (!concerns(window, collector)) continue;
    const auto end = end_of_current(window, at);
    if (end && (!found || *end > found->until)) found = {window.by, window.reason, *end};
  }
  return found;
}

std::vector<TickSlice> slice_ticks(const ScheduleEntry& entry, TickRange ticks,
                                   const std::vector<Window>& windows) {
  std::vector<TickSlice> slices;
  const auto add = [&](TickRange range, std::optional<Suppression> suppressed) {
    if (!slices.empty() && slices.back().suppressed == suppressed) {
      slices.back().ticks.last = range.last;
    } else {
      slices.push_back({range, std::move(suppressed)});
    }
  };
  for (int looks = 0; ticks.count() > 0; ++looks) {
    const WallSeconds due = due_at(entry, ticks.first);
    auto suppressed = find_suppression(windows, entry.collector, due);
    std::optional<WallSeconds> end;
    if (suppressed) {
      end = suppressed->until;
    } else if (looks < kSlicesMax) {
      end = next_begin(windows, entry.collector, due);
    }
    TickRange part = ticks;
    if (end) part.last = std::min(part.last, due_ticks(entry, due * 1000, *end * 1000).last);
    add(part, std::move(suppressed));
    ticks.first = part.last + 1;
  }
  return slices;
}

bool is_window_text(std::string_view text) {
  return !text.empty() && text.size() <= kTextBytesMax && json::is_valid_utf8(text) &&
         std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

json::Value to_json(const std::vector<Window>& windows) {
  json::Array array;
  for (const Window& window : windows) {
    json::Object object{{"by", window.by},
                        {"reason", window.reason},
                        {"from", format_second(window.from)},
                        {"until", format_second(window.until)}};
    if (window.repeat_s != 0) object["repeat_s"] = window.repeat_s;
    if (!window.collectors.empty()) {
      json::Array names;
      for (const std::string& name : window.collectors) names.push_back(name);
      object["collectors"] = std::move(names);
    }
    array.push_back(std::move(object));
  }
  return array;
}

Result<std::vector<Window>> parse_windows(const json::Value& array) {
  if (array.if_array() == nullptr) return Error{Errc::invalid, "windows: expected an array"};
  std::vector<Window> windows;
  for (const json::Value& value : *array.if_array()) {
    auto window = parse_window(value);
    if (!window) return std::move(window).error().in("window");
    windows.push_back(*std::move(window));
  }
  return windows;
}

Result<std::vector<Window>> windows_of_config(std::string_view config_blob) {
  auto value = json::parse(config_blob);
  if (!value) return std::move(value).error().in("config");
  const json::Value* array = value->find("maintenance");
  if (array == nullptr) return std::vector<Window>();
  return parse_windows(*array);
}

}  // namespace vouch::agent
