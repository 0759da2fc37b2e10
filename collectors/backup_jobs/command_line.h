// SPDX-License-Identifier: Apache-2.0
// Finds the use of restic in the command lines of units and cron jobs. Passwords in them are never
// kept: the fields below are all that is taken.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vouch::backup_jobs {

struct ResticUse {
  std::string action;      // "backup", "check", "restore", "forget" …
  std::string repository;  // Empty if the line does not say.
  std::optional<std::string> password_file;
  std::vector<std::string> paths;  // Of a backup.
};

// NAME=value pairs that a command may take its repository from.
struct ResticEnvironment {
  std::string repository;
  std::optional<std::string> password_file;
};

// The words of a command line as a shell or systemd splits it: quotes and backslashes resolved,
// nothing expanded. An unclosed quote runs to the end.
std::vector<std::string> split_words(std::string_view line);

// Every call of restic in the line: `;`, `&&`, `||`, `|` and `sh -c '…'` are followed. What the
// line does not say comes from `environment`.
std::vector<ResticUse> find_restic(std::string_view line, const ResticEnvironment& environment);

// Takes RESTIC_REPOSITORY and RESTIC_PASSWORD_FILE out of assignments; all others are passed over.
void read_assignment(std::string_view assignment, ResticEnvironment& environment);

// False for a path, a `local:` address and a server on the loopback.
bool is_remote(std::string_view repository);

}  // namespace vouch::backup_jobs
