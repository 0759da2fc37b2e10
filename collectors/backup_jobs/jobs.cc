// SPDX-License-Identifier: Apache-2.0
#include "collectors/backup_jobs/jobs.h"

#include <algorithm>
#include <utility>

namespace vouch::backup_jobs {
namespace {

Error invalid(const std::string& name, std::string_view what) {
  return {Errc::invalid, "option jobs: \"" + name + "\": " + std::string(what)};
}

std::optional<std::string> optional_text(const json::Value& object, std::string_view key) {
  auto text = json::get_string(object, key);
  if (!text || text->empty()) return std::nullopt;
  return *std::move(text);
}

}  // namespace

Result<std::vector<Job>> configured_jobs(const std::vector<const json::Value*>& options) {
  std::vector<Job> jobs;
  for (const json::Value* option : options) {
    Job job;
    job.name = json::get_string(*option, "name").value_or("");
    job.repository = json::get_string(*option, "repository").value_or("");
    job.password_file = optional_text(*option, "password_file");
    job.timer = optional_text(*option, "timer");
    if (job.name.empty()) return Error{Errc::invalid, "option jobs: a job without a name"};
    if (json::get_string(*option, "tool").value_or("") != "restic") {
      return invalid(job.name, "the tool is not restic");
    }
    if (job.repository.empty()) return invalid(job.name, "the repository is missing");
    if (job.password_file && !job.password_file->starts_with('/')) {
      return invalid(job.name, "the password file is no absolute path");
    }
    const bool is_known = std::any_of(jobs.begin(), jobs.end(),
                                      [&](const Job& other) { return other.name == job.name; });
    if (is_known) return invalid(job.name, "two jobs of this name");
    jobs.push_back(std::move(job));
  }
  return jobs;
}

std::vector<Job> merge_jobs(std::vector<Job> configured, const std::vector<FoundUse>& found) {
  std::vector<Job> jobs = std::move(configured);
  const std::size_t configured_count = jobs.size();
  for (const FoundUse& place : found) {
    if (place.use.action != "backup") continue;
    bool is_configured = false;
    for (std::size_t i = 0; i < configured_count; ++i) {
      Job& job = jobs[i];
      if (place.use.repository.empty() || job.repository != place.use.repository) continue;
      is_configured = true;
      if (!job.schedule) job.schedule = place.schedule;
      if (!job.password_file) job.password_file = place.use.password_file;
      job.paths.insert(job.paths.end(), place.use.paths.begin(), place.use.paths.end());
    }
    if (is_configured) continue;
    jobs.push_back({place.name,
                    place.use.repository,
                    place.use.password_file,
                    {},
                    place.schedule,
                    place.use.paths});
  }
  return jobs;
}

}  // namespace vouch::backup_jobs
