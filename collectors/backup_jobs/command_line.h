// SPDX-License-Identifier: Apache-2.0
// Finds the use of backup tools in the command lines of units and cron jobs. Passwords in them are
// never kept: the fields below are all that is taken.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vouch::backup_jobs {

struct ToolUse {
  std::string tool;    // "restic", "borg", "pgbackrest", "rsnapshot"
  std::string action;  // "backup", "check", "restore"; of others the tool's word: "forget" …
  // Empty if the line does not say. Of borg without the archive; of pgBackRest the stanza, of
  // rsnapshot nothing: their configuration says where.
  std::string repository;
  std::string config;  // pgBackRest, rsnapshot: the configuration file, if the line names one.
  std::optional<std::string> password_file;
  std::vector<std::string> paths;     // Of a backup.
  std::vector<std::string> excludes;  // Of a backup: patterns of the line itself.
};

// NAME=value pairs that a command may take its repository from.
struct ToolEnvironment {
  std::string restic_repository;
  std::optional<std::string> restic_password_file;
  std::string borg_repository;
  std::optional<std::string> borg_password_file;  // Of BORG_PASSCOMMAND="cat FILE".
};

// The words of a command line as a shell or systemd splits it: quotes and backslashes resolved,
// nothing expanded. An unclosed quote runs to the end.
std::vector<std::string> split_words(std::string_view line);

// Every call of a tool in the line: `;`, `&&`, `||`, `|` and `sh -c '…'` are followed. What the
// line does not say comes from `environment`.
std::vector<ToolUse> find_tools(std::string_view line, const ToolEnvironment& environment);

// False for what cannot hold a call of any of the tools: cheaper than looking.
bool mentions_tool(std::string_view text);

// Takes the variables of ToolEnvironment out of assignments; all others are passed over.
void read_assignment(std::string_view assignment, ToolEnvironment& environment);

// False for a path, a `local:` address and a server on the loopback. Addresses of restic, and of
// borg (`ssh://user@host/path`, `user@host:path`).
bool is_remote(std::string_view tool, std::string_view repository);

}  // namespace vouch::backup_jobs
