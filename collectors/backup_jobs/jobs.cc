// SPDX-License-Identifier: Apache-2.0
#include "collectors/backup_jobs/jobs.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace vouch::backup_jobs {
namespace {

constexpr std::array<std::string_view, 5> kTools = {"restic", "borg", "pgbackrest", "rsnapshot",
                                                    "directory"};

Error invalid(const std::string& name, std::string_view what) {
  return {Errc::invalid, "option jobs: \"" + name + "\": " + std::string(what)};
}

std::optional<std::string> optional_text(const json::Value& object, std::string_view key) {
  auto text = json::get_string(object, key);
  if (!text || text->empty()) return std::nullopt;
  return *std::move(text);
}

std::vector<std::string> split_commas(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    if (!part.empty()) parts.emplace_back(part);
  }
  return parts;
}

Result<std::optional<std::int64_t>> days_of(const json::Value& option, std::string_view key,
                                            const std::string& name) {
  constexpr std::int64_t kDaysMax = 366;
  const auto text = optional_text(option, key);
  if (!text) return std::optional<std::int64_t>();
  std::int64_t days = 0;
  const auto [end, code] = std::from_chars(text->data(), text->data() + text->size(), days);
  if (code != std::errc() || end != text->data() + text->size() || days < 1 || days > kDaysMax) {
    return invalid(name, std::string(key) + " is no number of days from 1 to 366");
  }
  return std::optional<std::int64_t>(days);
}

// What is wrong with the job; empty if nothing is.
std::string_view fault_of(const Job& job) {
  if (std::find(kTools.begin(), kTools.end(), job.tool) == kTools.end()) {
    return "the tool is none of restic, borg, pgbackrest, rsnapshot, directory";
  }
  if (job.tool == "pgbackrest" && job.stanza.empty()) return "pgbackrest needs the stanza";
  const bool has_config = job.tool == "pgbackrest" || job.tool == "rsnapshot";
  if (job.repository.empty() && !has_config) return "the repository is missing";
  if (job.tool == "directory" && !job.repository.starts_with('/'))
    return "the directory is no absolute path";
  if (job.password_file && !job.password_file->starts_with('/'))
    return "the password file is no absolute path";
  if (!job.config.empty() && !job.config.starts_with('/')) return "the config is no absolute path";
  const auto is_relative = [](const std::string& path) { return !path.starts_with('/'); };
  if (std::any_of(job.restore_sample.begin(), job.restore_sample.end(), is_relative))
    return "restore_sample has a path that is not absolute";
  return {};
}

Result<Job> read_job(const json::Value& option) {
  Job job;
  job.name = json::get_string(option, "name").value_or("");
  if (job.name.empty()) return Error{Errc::invalid, "option jobs: a job without a name"};
  job.tool = json::get_string(option, "tool").value_or("");
  job.repository = json::get_string(option, "repository").value_or("");
  job.config = json::get_string(option, "config").value_or("");
  job.stanza = json::get_string(option, "stanza").value_or("");
  job.pattern = json::get_string(option, "pattern").value_or("");
  job.password_file = optional_text(option, "password_file");
  job.timer = optional_text(option, "timer");
  job.restore_sample = split_commas(json::get_string(option, "restore_sample").value_or(""));
  const auto verify = days_of(option, "verify_days", job.name);
  if (!verify) return verify.error();
  const auto restore = days_of(option, "restore_days", job.name);
  if (!restore) return restore.error();
  job.verify_days = *verify;
  job.restore_days = *restore;
  if (const auto fault = fault_of(job); !fault.empty()) return invalid(job.name, fault);
  return job;
}

std::string config_of(std::string_view tool, std::string_view config) {
  if (!config.empty()) return std::string(config);
  if (tool == "pgbackrest") return "/etc/pgbackrest.conf";
  return tool == "rsnapshot" ? "/etc/rsnapshot.conf" : "";
}

// A service's schedule begins with the name of its timer.
std::optional<std::string> timer_of(const FoundUse& place) {
  if (place.unit.empty() || !place.schedule) return std::nullopt;
  return place.schedule->substr(0, place.schedule->find(' '));
}

Job job_of(const FoundUse& place) {
  Job job;
  job.name = place.name;
  job.tool = place.use.tool;
  if (job.tool == "pgbackrest") {
    job.stanza = place.use.repository;
  } else {
    job.repository = place.use.repository;
  }
  job.config = config_of(job.tool, place.use.config);
  job.password_file = place.use.password_file;
  job.schedule = place.schedule;
  job.timer = timer_of(place);
  job.unit = place.unit;
  job.paths = place.use.paths;
  job.excludes = place.use.excludes;
  job.alerts = place.alerts;
  return job;
}

template <typename T>
void append(std::vector<T>& to, const std::vector<T>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

}  // namespace

bool is_use_of(const ToolUse& use, const Job& job) {
  if (use.tool != job.tool) return false;
  if (use.tool == "pgbackrest" && use.repository != job.stanza) return false;
  if (use.tool == "pgbackrest" || use.tool == "rsnapshot")
    return config_of(use.tool, use.config) == job.config;
  return !use.repository.empty() && use.repository == job.repository;
}

Result<std::vector<Job>> configured_jobs(const std::vector<const json::Value*>& options) {
  std::vector<Job> jobs;
  for (const json::Value* option : options) {
    auto job = read_job(*option);
    if (!job) return std::move(job).error();
    job->config = config_of(job->tool, job->config);
    const bool is_known = std::any_of(jobs.begin(), jobs.end(),
                                      [&](const Job& other) { return other.name == job->name; });
    if (is_known) return invalid(job->name, "two jobs of this name");
    jobs.push_back(*std::move(job));
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
      if (!is_use_of(place.use, job)) continue;
      is_configured = true;
      if (!job.timer) job.timer = timer_of(place);
      if (!job.schedule) job.schedule = place.schedule;
      if (!job.password_file) job.password_file = place.use.password_file;
      if (job.unit.empty()) job.unit = place.unit;
      append(job.paths, place.use.paths);
      append(job.excludes, place.use.excludes);
      append(job.alerts, place.alerts);
    }
    if (!is_configured) jobs.push_back(job_of(place));
  }
  return jobs;
}

}  // namespace vouch::backup_jobs
