// SPDX-License-Identifier: Apache-2.0
// The backup jobs of a host: those that the configuration names, and those found in units and cron.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collectors/backup_jobs/discovery.h"
#include "core/json.h"
#include "core/result.h"

namespace vouch::backup_jobs {

struct Job {
  std::string name;
  std::string tool;        // "restic", "borg", "pgbackrest", "rsnapshot", "directory"
  std::string repository;  // As written: may hold a password. Empty: not known.
  std::string config;      // Of pgBackRest and rsnapshot: their configuration file.
  std::string stanza;      // Of pgBackRest.
  std::string pattern;     // Of a directory: the names that count, as a shell's pattern.
  std::optional<std::string> password_file;
  std::optional<std::string> timer;     // That starts it: configured by name, or found.
  std::optional<std::string> schedule;  // What starts it.
  std::string unit;                     // The service; empty: cron, or not known.
  std::vector<std::string> paths;
  std::vector<std::string> excludes;
  std::vector<FailureAction> alerts;
  // What this collector does itself, every so many days; none: it does not.
  std::optional<std::int64_t> verify_days;
  std::optional<std::int64_t> restore_days;
  std::vector<std::string> restore_sample;  // Files that are read out of the backup and compared.
};

// The option `jobs`. Errc::invalid, naming the job: two of one name, an unknown tool, an empty
// name or repository, a file or directory that is no absolute path, days that are no number.
Result<std::vector<Job>> configured_jobs(const std::vector<const json::Value*>& options);

// Puts what was found to the configured jobs: a backup into the repository of a configured job is
// that job; any other is a job of its own, named after where it was found.
std::vector<Job> merge_jobs(std::vector<Job> configured, const std::vector<FoundUse>& found);

// True if the use works on the job's repository.
bool is_use_of(const ToolUse& use, const Job& job);

}  // namespace vouch::backup_jobs
