// SPDX-License-Identifier: Apache-2.0
// What cron, anacron and at will run, as their files say.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vouch::drift {

struct ScheduledJob {
  std::string kind;      // "cron", "cron.daily", "anacron", "at", "timer"
  std::string source;    // The file.
  std::string schedule;  // As written.
  std::string username;  // Empty: the file does not say.
  std::string command;
  std::optional<std::string> unit = {};
  bool enabled = true;
};

// crontab(5). With `has_user` a line names the user before the command (/etc/crontab, /etc/cron.d);
// else all lines are `username`'s. What follows an unescaped `%` is the command's standard input,
// which may be a password: it is left out.
struct Crontab {
  std::vector<ScheduledJob> jobs;
  std::vector<int> faults;  // Numbers of lines that are neither a job nor a variable.
};
Crontab parse_crontab(std::string_view text, std::string_view source, bool has_user,
                      std::string_view username = {});

// anacrontab(5): period, delay, identifier, command.
Crontab parse_anacrontab(std::string_view text, std::string_view source);

// A file of at's spool. Its name holds queue and time; its text the whole environment, which is
// left out. Nothing if the name is none of at's ("=…" is a job that runs already).
std::optional<ScheduledJob> parse_at_job(std::string_view name, std::string_view text,
                                         std::string_view source);

}  // namespace vouch::drift
