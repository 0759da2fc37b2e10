// SPDX-License-Identifier: Apache-2.0
#include "collectors/backup_jobs/host_jobs.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace vouch::backup_jobs {
namespace {

constexpr std::chrono::seconds kRepositoryDeadline{60};
constexpr std::string_view kUserCrontabs = "cron:/var/spool/";

Result<HostJobs> read_jobs(const sdk::Context& context) {
  auto configured = configured_jobs(context.objects_option("jobs"));
  if (!configured) return std::move(configured).error();
  HostJobs host;
  host.discovery = discover(context.root());
  host.jobs = merge_jobs(*std::move(configured), host.discovery.uses);
  for (Job& job : host.jobs) {
    RepositoryPlace place = place_of(context.root(), job);
    if (!job.password_file) job.password_file = place.credentials_file;
    if (job.paths.empty()) job.paths = place.paths;
    host.places.emplace(job.name, std::move(place));
  }
  return host;
}

Result<RepositoryState> ask(sdk::Context& context, const Job& job) {
  if (const auto reason = obstacle(context, job); !reason.empty())
    return Error{Errc::unsupported, std::string(reason)};
  const auto deadline =
      std::min<std::chrono::milliseconds>(context.remaining(), kRepositoryDeadline);
  if (deadline.count() == 0) return Error{Errc::timeout, "no time was left to ask its repository"};
  const auto& directory = work_directory_of(context);
  if (!directory) return directory.error();
  return ask_repository(context.root(), job, (*directory)->path(), deadline);
}

bool needs_tool(const Job& job) {
  return job.tool != "rsnapshot" && job.tool != "directory";
}

}  // namespace

const Result<HostJobs>& jobs_of(sdk::Context& context) {
  return context.once([&] { return read_jobs(context); });
}

const Answers& answers_of(sdk::Context& context, const HostJobs& host) {
  return context.once([&] {
    Answers answers;
    for (const Job& job : host.jobs) answers.emplace(job.name, ask(context, job));
    return answers;
  });
}

const Result<std::shared_ptr<WorkDirectory>>& work_directory_of(sdk::Context& context) {
  return context.once([&]() -> Result<std::shared_ptr<WorkDirectory>> {
    auto directory = WorkDirectory::make(context.cache_dir());
    if (!directory) return std::move(directory).error();
    return std::make_shared<WorkDirectory>(*std::move(directory));
  });
}

std::string_view obstacle(const sdk::Context& context, const Job& job) {
  if (!needs_tool(job)) return {};
  if (!context.is_host()) return "no tool is run for an image";
  const bool has_address = job.tool == "pgbackrest" ? !job.stanza.empty() : !job.repository.empty();
  if (!has_address) return "its repository is not known; configure the job";
  if (job.tool == "restic" && !job.password_file)
    return "its password file is not known; configure the job";
  // A user's crontab may name any address: our privileges are not lent to it.
  if (job.name.starts_with(kUserCrontabs)) return "found in a user's crontab; configure the job";
  return {};
}

std::string joined(const std::vector<std::string>& words) {
  std::string result;
  for (const std::string& word : words) result += (result.empty() ? "" : ",") + word;
  return result;
}

std::string octal(mode_t mode) {
  std::string digits(4, '0');
  for (std::size_t i = 0; i < digits.size(); ++i) {
    digits[digits.size() - 1 - i] = static_cast<char>('0' + ((mode >> (3 * i)) & 7U));
  }
  return digits;
}

}  // namespace vouch::backup_jobs
