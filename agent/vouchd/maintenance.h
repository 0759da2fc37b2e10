// SPDX-License-Identifier: Apache-2.0
// Times in which scheduled runs are not wanted, with who decided it and why: the windows of the
// configuration (once, or weekly) and the pauses of `vouch pause`. Whether a tick is suppressed is
// arithmetic: its due time lies in a window, no matter who looks and when. So planned work is on
// record as planned, also where the host was down for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "proto/schedule.h"

namespace vouch::agent {

inline constexpr std::size_t kWindowsMax = 64;
inline constexpr std::int64_t kWindowSecondsMax = std::int64_t{31} * 86400;
inline constexpr std::int64_t kWeekSeconds = 604800;

struct Window {
  std::string by;
  std::string reason;
  std::vector<std::string> collectors;  // Empty: all.
  WallSeconds from = 0;
  WallSeconds until = 0;      // Not included; of the first occurrence.
  std::int64_t repeat_s = 0;  // 0: once. Else longer than the window.

  bool operator==(const Window&) const = default;
};

// Why a tick is not run.
struct Suppression {
  std::string by;
  std::string reason;
  WallSeconds until = 0;

  bool operator==(const Suppression&) const = default;
};

// Of several windows, the one that ends last.
std::optional<Suppression> find_suppression(const std::vector<Window>& windows,
                                            std::string_view collector, WallSeconds at);

// A range of ticks, cut where windows begin and end. A leap over very many windows is not told
// apart to its end: the rest counts as not suppressed.
struct TickSlice {
  TickRange ticks;
  std::optional<Suppression> suppressed;
};
std::vector<TickSlice> slice_ticks(const ScheduleEntry& entry, TickRange ticks,
                                   const std::vector<Window>& windows);

// Who and why, as a record has it: 1 to 200 bytes of UTF-8 in one line.
bool is_window_text(std::string_view text);

// As the config blob and the ledger have them.
json::Value to_json(const std::vector<Window>& windows);
Result<std::vector<Window>> parse_windows(const json::Value& array);
// `maintenance` of a config blob; none if it has no such member.
Result<std::vector<Window>> windows_of_config(std::string_view config_blob);

}  // namespace vouch::agent
