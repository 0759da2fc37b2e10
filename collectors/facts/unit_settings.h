// SPDX-License-Identifier: Apache-2.0
// The settings of a systemd unit or a systemd configuration file (systemd.syntax(7)).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vouch::facts {

struct UnitSetting {
  std::string section;
  std::string key;
  std::string value;
};

// Sections, comments, continuation lines. Lines that are none are skipped, as systemd does (with a
// warning).
std::vector<UnitSetting> parse_unit(std::string_view text);

// The values in effect of a setting that adds up: an empty assignment takes back those before it.
std::vector<std::string> unit_values(const std::vector<UnitSetting>& settings,
                                     std::string_view section, std::string_view key);
// Of one that does not: the last has the word.
std::string unit_value(const std::vector<UnitSetting>& settings, std::string_view section,
                       std::string_view key, std::string_view fallback = {});

// "OnCalendar=daily", "OnBootSec=15min OnUnitActiveSec=1d"; empty if the timer never elapses.
std::string timer_schedule(const std::vector<UnitSetting>& settings);

}  // namespace vouch::facts
