// SPDX-License-Identifier: Apache-2.0
// systemd's unit files as they lie on the disk: settings with their drop-ins, and enablement.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/facts/unit_settings.h"
#include "core/clock.h"
#include "core/result.h"
#include "core/root.h"

namespace vouch::backup_jobs {

using facts::parse_unit;
using facts::UnitSetting;

struct Unit {
  std::string name;   // "backup.timer"
  std::string path;   // Of the file.
  std::string state;  // As systemctl says: enabled, enabled-runtime, disabled, static, masked.
  std::vector<UnitSetting> settings;  // The file's, then those of its drop-ins.

  // The values in effect: an empty assignment takes back those before it.
  [[nodiscard]] std::vector<std::string> all(std::string_view section, std::string_view key) const;
  [[nodiscard]] std::string last(std::string_view section, std::string_view key,
                                 std::string_view fallback = {}) const;
};

struct UnitProblem {
  std::string path;
  Error error;
};

struct Units {
  std::vector<Unit> units;  // By name. Templates are left out, their instances are in.
  std::vector<UnitProblem> problems;

  [[nodiscard]] const Unit* find(std::string_view name) const;
};

// Reads the system's units of one kind (".timer", ".service"). not_found: there is no directory of
// units at all.
Result<Units> read_units(const Root& root, std::string_view suffix);

// The unit that the timer starts.
std::string activated_by(const Unit& timer);
// When the timer last triggered, as its stamp file keeps it (Persistent=true only).
std::optional<WallSeconds> last_trigger(const Root& root, std::string_view timer);
// "OnCalendar=daily", "OnBootSec=15min OnUnitActiveSec=1d"; empty if it never elapses.
std::string schedule_of(const Unit& timer);

}  // namespace vouch::backup_jobs
