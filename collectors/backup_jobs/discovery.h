// SPDX-License-Identifier: Apache-2.0
// Where a host starts backup tools: services with their timers, and cron.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/backup_jobs/command_line.h"
#include "collectors/backup_jobs/unit_files.h"
#include "core/root.h"

namespace vouch::backup_jobs {

// Who is told when a run fails, as the configuration has it.
struct FailureAction {
  std::string kind;    // "OnFailure", "MAILTO"
  std::string target;  // The unit; the address.
};

struct FoundUse {
  std::string name;  // "restic-backup.service", "cron:/etc/cron.d/restic"
  std::string unit;  // The service; empty for cron.
  std::optional<std::string>
      schedule;  // The timer or cron entry that starts it; none: nothing does.
  ToolUse use;
  std::vector<FailureAction> alerts;
};

struct Discovery {
  std::vector<FoundUse> uses;
  std::vector<UnitProblem> problems;  // Files that could not be read.
};

Discovery discover(const Root& root);

// The calls of backup tools in one crontab. With `has_user` a line names the user before the
// command
// (/etc/crontab, /etc/cron.d).
std::vector<FoundUse> read_crontab(std::string_view text, std::string_view path, bool has_user);
// In a script that cron runs by its directory; `period` is "cron.daily" and the like.
std::vector<FoundUse> read_script(std::string_view text, std::string_view path,
                                  std::string_view period);

}  // namespace vouch::backup_jobs
