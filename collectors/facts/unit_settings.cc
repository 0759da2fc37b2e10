// SPDX-License-Identifier: Apache-2.0
#include "collectors/facts/unit_settings.h"

#include <utility>

#include "collectors/facts/lines.h"

namespace vouch::facts {

std::vector<UnitSetting> parse_unit(std::string_view text) {
  std::vector<UnitSetting> settings;
  std::string section;
  std::string line;
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto piece = trim(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    // Comments may stand between the lines of one value.
    if (piece.starts_with('#') || piece.starts_with(';')) continue;
    if (piece.ends_with('\\')) {
      line.append(piece.substr(0, piece.size() - 1)) += ' ';
      continue;
    }
    line.append(piece);
    const std::string whole = std::exchange(line, {});
    const auto trimmed = trim(whole);
    if (trimmed.starts_with('[') && trimmed.ends_with(']')) {
      section = trimmed.substr(1, trimmed.size() - 2);
    } else if (const auto equals = trimmed.find('='); equals != trimmed.npos && equals != 0) {
      settings.push_back({section, std::string(trim(trimmed.substr(0, equals))),
                          std::string(trim(trimmed.substr(equals + 1)))});
    }
  }
  return settings;
}

std::vector<std::string> unit_values(const std::vector<UnitSetting>& settings,
                                     std::string_view section, std::string_view key) {
  std::vector<std::string> values;
  for (const UnitSetting& setting : settings) {
    if (setting.section != section || setting.key != key) continue;
    if (setting.value.empty()) {
      values.clear();
    } else {
      values.push_back(setting.value);
    }
  }
  return values;
}

std::string unit_value(const std::vector<UnitSetting>& settings, std::string_view section,
                       std::string_view key, std::string_view fallback) {
  const auto values = unit_values(settings, section, key);
  return values.empty() ? std::string(fallback) : values.back();
}

std::string timer_schedule(const std::vector<UnitSetting>& settings) {
  std::string schedule;
  for (const std::string_view key : {"OnCalendar", "OnActiveSec", "OnBootSec", "OnStartupSec",
                                     "OnUnitActiveSec", "OnUnitInactiveSec"}) {
    for (const std::string& value : unit_values(settings, "Timer", key)) {
      if (!schedule.empty()) schedule += ' ';
      schedule.append(key) += '=' + value;
    }
  }
  return schedule;
}

}  // namespace vouch::facts
