// SPDX-License-Identifier: Apache-2.0
// Where a host starts restic: services with their timers, and cron.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/backup_jobs/command_line.h"
#include "collectors/backup_jobs/unit_files.h"
#include "core/root.h"

namespace vouch::backup_jobs {

struct FoundUse {
  std::string name;  // "restic-backup.service", "cron:/etc/cron.d/restic"
  std::string unit;  // The service; empty for cron.
  std::optional<std::string>
      schedule;  // The timer or cron entry that starts it; none: nothing does.
  ResticUse use;
};

struct Discovery {
  std::vector<FoundUse> uses;
  std::vector<UnitProblem> problems;  // Files that could not be read.
};

Discovery discover(const Root& root);

// The calls of restic in one crontab. With `has_user` a line names the user before the command
// (/etc/crontab, /etc/cron.d).
std::vector<FoundUse> read_crontab(std::string_view text, std::string_view path, bool has_user);
// In a script that cron runs by its directory; `period` is "cron.daily" and the like.
std::vector<FoundUse> read_script(std::string_view text, std::string_view path,
                                  std::string_view period);

}  // namespace vouch::backup_jobs
