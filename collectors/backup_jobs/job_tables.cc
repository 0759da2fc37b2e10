// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/backup_jobs/discovery.h"
#include "collectors/backup_jobs/jobs.h"
#include "collectors/backup_jobs/restic.h"
#include "collectors/backup_jobs/systemctl.h"
#include "collectors/backup_jobs/tables.h"
#include "collectors/sdk/context.h"

namespace vouch::backup_jobs {
namespace {

constexpr std::chrono::seconds kRepositoryDeadline{60};
constexpr std::string_view kUserCrontabs = "cron:/var/spool/";

struct Jobs {
  std::vector<Job> jobs;
  Discovery discovery;
};

Result<Jobs> read_jobs(const sdk::Context& context) {
  auto configured = configured_jobs(context.objects_option("jobs"));
  if (!configured) return std::move(configured).error();
  Jobs result;
  result.discovery = discover(context.root());
  result.jobs = merge_jobs(*std::move(configured), result.discovery.uses);
  return result;
}

// Each unit and crontab of the host is read for it: once in a run.
const Result<Jobs>& jobs_of(sdk::Context& context) {
  return context.once([&] { return read_jobs(context); });
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

// "backup.timer OnCalendar=daily" for a timer that the configuration names.
std::optional<std::string> schedule_by_timer(const Root& root, const std::string& name) {
  const auto timers = read_units(root, ".timer");
  const Unit* timer = timers ? timers->find(name) : nullptr;
  if (timer == nullptr || timer->state == "masked" || timer->state == "disabled")
    return std::nullopt;
  return timer->name + ' ' + schedule_of(*timer);
}

void add_job(const sdk::Context& context, const Job& job, sdk::Rows& rows) {
  auto schedule = job.schedule;
  if (job.timer) {
    schedule = schedule_by_timer(context.root(), *job.timer);
    if (!schedule) {
      rows.gap(job.name, {Errc::not_found, *job.timer + " is not there or not enabled"});
    }
  }
  std::optional<std::string> mode;
  if (job.password_file) {
    const auto info = context.root().stat(*job.password_file);
    if (info) {
      mode = octal(info->st_mode & 07777U);
    } else {
      rows.gap(job.name, info.error());
    }
  }
  if (job.repository.empty()) {
    rows.gap(job.name,
             {Errc::not_found, "its command line names no repository; configure the job"});
  }
  sdk::Cell schedule_cell(nullptr);
  if (schedule) schedule_cell = *schedule;
  sdk::Cell file_cell(nullptr);
  if (job.password_file) file_cell = *job.password_file;
  sdk::Cell mode_cell(nullptr);
  if (mode) mode_cell = *mode;
  // restic knows no repository that is not encrypted.
  rows.add({job.name, "restic", job.repository, is_remote(job.repository), true, schedule_cell,
            file_cell, mode_cell, joined(job.paths)});
}

void add_snapshots(const Job& job, const SnapshotList& list, sdk::Rows& rows) {
  std::set<std::string_view> seen;
  for (const Snapshot& snapshot : list.snapshots) {
    if (!seen.insert(snapshot.id).second) continue;
    auto tags = snapshot.tags;
    std::sort(tags.begin(), tags.end());
    rows.add({job.name, snapshot.id, snapshot.time, snapshot.hostname, joined(snapshot.paths),
              joined(tags), snapshot.tree, snapshot.files, snapshot.bytes});
  }
  if (list.is_incomplete) {
    rows.gap(job.name, {Errc::corrupt, "restic could not read all snapshots; run restic check"});
  }
}

// Why the job's repository is not asked; empty if it can be.
std::string_view obstacle(const sdk::Context& context, const Job& job) {
  if (!context.is_host()) return "no tool is run for an image";
  if (job.repository.empty()) return "its repository is not known; configure the job";
  if (!job.password_file) return "its password file is not known; configure the job";
  // A user's crontab may name any address: our privileges are not lent to it.
  if (job.name.starts_with(kUserCrontabs)) return "found in a user's crontab; configure the job";
  return {};
}

}  // namespace

Status collect_backup_jobs(sdk::Context& context, sdk::Rows& rows) {
  const auto& jobs = jobs_of(context);
  if (!jobs) return jobs.error();
  for (const Job& job : jobs->jobs) add_job(context, job, rows);
  for (const UnitProblem& problem : jobs->discovery.problems) rows.gap(problem.path, problem.error);
  return Ok{};
}

Status collect_backup_snapshots(sdk::Context& context, sdk::Rows& rows) {
  const auto& jobs = jobs_of(context);
  if (!jobs) return jobs.error();
  for (const Job& job : jobs->jobs) {
    if (const auto reason = obstacle(context, job); !reason.empty()) {
      rows.gap(job.name, {Errc::unsupported, std::string(reason)});
      continue;
    }
    const auto program = find_restic_program(context.root());
    if (!program) {
      rows.gap(job.name, program.error());
      continue;
    }
    const auto deadline =
        std::min<std::chrono::milliseconds>(context.remaining(), kRepositoryDeadline);
    if (deadline.count() == 0) {
      rows.gap(job.name, {Errc::timeout, "no time was left to ask its repository"});
      continue;
    }
    const auto list = ask_restic(*program, job.repository, *job.password_file, deadline);
    if (list) {
      add_snapshots(job, *list, rows);
    } else {
      rows.gap(job.name, list.error());
    }
  }
  return Ok{};
}

Status collect_backup_checks(sdk::Context& context, sdk::Rows& rows) {
  const auto& jobs = jobs_of(context);
  if (!jobs) return jobs.error();
  std::vector<const FoundUse*> places;
  std::vector<std::string> units;
  for (const FoundUse& place : jobs->discovery.uses) {
    if (place.use.action != "check" && place.use.action != "restore") continue;
    places.push_back(&place);
    if (!place.unit.empty()) units.push_back(place.unit);
  }
  std::map<std::string, UnitState> states;
  const bool is_live = is_systemd_running(context.root());
  if (is_live && !units.empty()) {
    auto answer = ask_units(units, context.remaining());
    if (!answer) return std::move(answer).error();
    states = *std::move(answer);
  }
  std::set<std::string> seen;
  for (const FoundUse* place : places) {
    if (place->unit.empty() || !is_live) {
      rows.gap(place->name,
               {Errc::unsupported, place->unit.empty()
                                       ? "cron keeps no result of its runs"
                                       : "systemd does not run here: no result is known"});
      continue;
    }
    const UnitState& state = states[place->unit];
    if (!state.finished) continue;  // It never ran: no check, which is a fact.
    for (const Job& job : jobs->jobs) {
      if (job.repository != place->use.repository) continue;
      if (!seen.insert(job.name + '\n' + place->use.action).second) continue;
      rows.add({job.name, place->use.action, *state.finished,
                state.result == "success" ? "ok" : "failed", place->unit + ": " + state.result});
    }
  }
  return Ok{};
}

}  // namespace vouch::backup_jobs
