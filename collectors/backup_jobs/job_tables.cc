// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/backup_jobs/dump_files.h"
#include "collectors/backup_jobs/host_jobs.h"
#include "collectors/backup_jobs/tables.h"
#include "collectors/backup_jobs/unit_files.h"

namespace vouch::backup_jobs {
namespace {

// "backup.timer OnCalendar=daily" for a timer that the configuration names.
std::optional<std::string> schedule_by_timer(const Root& root, const std::string& name) {
  const auto timers = read_units(root, ".timer");
  const Unit* timer = timers ? timers->find(name) : nullptr;
  if (timer == nullptr || timer->state == "masked" || timer->state == "disabled")
    return std::nullopt;
  return timer->name + ' ' + schedule_of(*timer);
}

std::optional<std::string> schedule_of_job(const sdk::Context& context, const Job& job,
                                           sdk::Rows& rows) {
  if (!job.timer || job.schedule) return job.schedule;
  auto schedule = schedule_by_timer(context.root(), *job.timer);
  if (!schedule) {
    rows.gap(job.name, {Errc::not_found, *job.timer + " is not there or not enabled"});
  }
  return schedule;
}

// What the configuration says, else the tool's answer. Not known: the row says no, and a gap says
// why.
bool is_encrypted(sdk::Context& context, const HostJobs& host, const Job& job, sdk::Rows& rows) {
  if (const auto known = host.places.at(job.name).encrypted) return *known;
  const auto& answer = answers_of(context, host).at(job.name);
  if (answer && answer->encrypted) return *answer->encrypted;
  const Error unknown{Errc::unsupported, "whether it is encrypted cannot be said"};
  rows.gap(job.name, answer ? unknown : answer.error());
  return false;
}

void add_job(sdk::Context& context, const HostJobs& host, const Job& job, sdk::Rows& rows) {
  const RepositoryPlace& place = host.places.at(job.name);
  sdk::Cell schedule_cell(nullptr);
  const auto schedule = schedule_of_job(context, job, rows);
  if (schedule) schedule_cell = *schedule;
  sdk::Cell timer(nullptr);
  if (job.timer) timer = *job.timer;
  sdk::Cell file(nullptr);
  sdk::Cell mode_cell(nullptr);
  sdk::Cell uid(nullptr);
  std::string mode;
  if (job.password_file) {
    file = *job.password_file;
    const auto info = context.root().stat(*job.password_file);
    if (info) {
      mode = octal(info->st_mode & 07777U);
      mode_cell = mode;
      uid = info->st_uid;
    } else {
      rows.gap(job.name, info.error());
    }
  }
  if (place.problem) {
    rows.gap(job.name, *place.problem);
  } else if (place.address.empty()) {
    rows.gap(job.name,
             {Errc::not_found, "its command line names no repository; configure the job"});
  }
  rows.add({job.name, job.tool, place.address, place.is_remote,
            is_encrypted(context, host, job, rows), schedule_cell, timer, file, mode_cell, uid,
            joined(job.paths), joined(job.excludes)});
}

void add_snapshots(const Job& job, const RepositoryState& state, sdk::Rows& rows) {
  std::set<std::string_view> seen;
  for (const Snapshot& snapshot : state.snapshots) {
    if (!seen.insert(snapshot.id).second) continue;
    auto tags = snapshot.tags;
    std::sort(tags.begin(), tags.end());
    rows.add({job.name, snapshot.id, snapshot.time, snapshot.hostname, joined(snapshot.paths),
              joined(tags), snapshot.tree, snapshot.files, snapshot.bytes});
  }
  if (state.trouble) rows.gap(job.name, *state.trouble);
}

}  // namespace

Status collect_backup_jobs(sdk::Context& context, sdk::Rows& rows) {
  const auto& host = jobs_of(context);
  if (!host) return host.error();
  for (const Job& job : host->jobs) add_job(context, *host, job, rows);
  for (const UnitProblem& problem : host->discovery.problems) rows.gap(problem.path, problem.error);
  return Ok{};
}

Status collect_backup_snapshots(sdk::Context& context, sdk::Rows& rows) {
  const auto& host = jobs_of(context);
  if (!host) return host.error();
  const Answers& answers = answers_of(context, *host);
  for (const Job& job : host->jobs) {
    const auto& answer = answers.at(job.name);
    if (answer) {
      add_snapshots(job, *answer, rows);
    } else {
      rows.gap(job.name, answer.error());
    }
  }
  return Ok{};
}

Status collect_backup_dumps(sdk::Context& context, sdk::Rows& rows) {
  const auto& host = jobs_of(context);
  if (!host) return host.error();
  for (const Job& job : host->jobs) {
    if (job.tool != "directory") continue;
    const auto dumps = read_dump_files(context.root(), job);
    if (!dumps) {
      rows.gap(job.name, dumps.error());
      continue;
    }
    for (const DumpFile& file : dumps->files) {
      rows.add({job.name, file.path, file.time, file.bytes, file.kind, file.complete, file.uid,
                file.mode});
    }
    for (const auto& [path, error] : dumps->problems) rows.gap(path, error);
  }
  return Ok{};
}

Status collect_backup_alerts(sdk::Context& context, sdk::Rows& rows) {
  const auto& host = jobs_of(context);
  if (!host) return host.error();
  for (const Job& job : host->jobs) {
    for (const FailureAction& action : job.alerts) {
      rows.add({job.name, action.kind, action.target});
    }
  }
  for (const UnitProblem& problem : host->discovery.problems) rows.gap(problem.path, problem.error);
  return Ok{};
}

}  // namespace vouch::backup_jobs
