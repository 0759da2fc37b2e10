// SPDX-License-Identifier: Apache-2.0
// What a running systemd says of its units, through systemctl. Only for the running host.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/root.h"

namespace vouch::backup_jobs {

struct UnitState {
  std::string active_state;             // "active", "inactive", "failed" …
  std::string unit_file_state;          // "enabled", "static" …
  std::string result;                   // Of a service's last run: "success", "exit-code" …
  std::optional<WallSeconds> finished;  // When that run ended.
};

struct TimerState {
  std::string activates;
  std::optional<WallSeconds> next;
  std::optional<WallSeconds> last;
};

bool is_systemd_running(const Root& root);

// By unit name. Errors: tool_failed, timeout, invalid.
Result<std::map<std::string, UnitState>> ask_units(const std::vector<std::string>& names,
                                                   std::chrono::milliseconds deadline);
Result<std::map<std::string, TimerState>> ask_timers(std::chrono::milliseconds deadline);

// The parsers of `systemctl show` and of `systemctl list-timers --output=json`.
std::map<std::string, UnitState> parse_show(std::string_view text);
Result<std::map<std::string, TimerState>> parse_list_timers(std::string_view json_text);
// "Sat 2026-11-21 21:00:00 UTC"; nothing for "n/a" and the like.
std::optional<WallSeconds> parse_systemd_time(std::string_view text);

}  // namespace vouch::backup_jobs
