// SPDX-License-Identifier: Apache-2.0
// The backup jobs of a host: those that the configuration names, and those found in units and cron.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collectors/backup_jobs/discovery.h"
#include "core/json.h"
#include "core/result.h"

namespace vouch::backup_jobs {

struct Job {
  std::string name;
  std::string repository;  // As written: may hold a password. Empty: not known.
  std::optional<std::string> password_file;
  std::optional<std::string> timer;     // Configured by name.
  std::optional<std::string> schedule;  // What starts it.
  std::vector<std::string> paths;
};

// The option `jobs`. Errc::invalid, naming the job: two of one name, an unknown tool, an empty
// name or repository, a password file that is no absolute path.
Result<std::vector<Job>> configured_jobs(const std::vector<const json::Value*>& options);

// Puts what was found to the configured jobs: a backup into the repository of a configured job is
// that job; any other is a job of its own, named after where it was found.
std::vector<Job> merge_jobs(std::vector<Job> configured, const std::vector<FoundUse>& found);

}  // namespace vouch::backup_jobs
