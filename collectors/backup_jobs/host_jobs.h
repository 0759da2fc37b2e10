// SPDX-License-Identifier: Apache-2.0
// The jobs of the examined host and what their repositories answered: read once in a run, for all
// tables.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/backup_jobs/discovery.h"
#include "collectors/backup_jobs/repository.h"
#include "collectors/sdk/context.h"

namespace vouch::backup_jobs {

struct HostJobs {
  std::vector<Job> jobs;
  Discovery discovery;
  std::map<std::string, RepositoryPlace> places;  // By the job's name.
};

// Each unit and crontab of the host is read for it.
const Result<HostJobs>& jobs_of(sdk::Context& context);

// By the job's name: the answer, or why there is none.
using Answers = std::map<std::string, Result<RepositoryState>>;
const Answers& answers_of(sdk::Context& context, const HostJobs& host);

// A directory that tools may write into. The context holds one; the other owners are its callers.
const Result<std::shared_ptr<WorkDirectory>>& work_directory_of(sdk::Context& context);

// Why the job's repository is not asked; empty if it can be.
std::string_view obstacle(const sdk::Context& context, const Job& job);

std::string joined(const std::vector<std::string>& words);
std::string octal(mode_t mode);

}  // namespace vouch::backup_jobs
