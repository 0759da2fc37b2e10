// SPDX-License-Identifier: Apache-2.0
// Repositories on this host: who may touch them, what guards them; and how far back the
// logs of the jobs go.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/backup_jobs/host_jobs.h"
#include "collectors/backup_jobs/journal.h"
#include "collectors/backup_jobs/tables.h"

namespace vouch::backup_jobs {
namespace {

// The file attributes with which nothing in a directory can be deleted (chattr +a, +i).
std::optional<std::string> attribute_guard(int fd) {
  struct statx info {};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &info) != 0) return std::nullopt;
  if ((info.stx_attributes & STATX_ATTR_IMMUTABLE) != 0) return "attribute immutable";
  if ((info.stx_attributes & STATX_ATTR_APPEND) != 0) return "attribute append-only";
  return std::nullopt;
}

void add_place(const sdk::Context& context, const Job& job, const RepositoryPlace& place,
               sdk::Rows& rows) {
  sdk::Cell path_cell(nullptr);
  sdk::Cell uid(nullptr);
  sdk::Cell gid(nullptr);
  sdk::Cell mode_cell(nullptr);
  sdk::Cell guard_cell(nullptr);
  std::string mode;
  auto guard = place.deletion_guard;
  if (place.path) {
    const auto directory = context.root().open_directory(*place.path);
    struct stat info {};
    if (!directory) {
      rows.gap(job.name, directory.error());
      return;
    }
    if (::fstat(directory->get(), &info) != 0) {
      rows.gap(job.name, errno_error("stat " + *place.path, errno));
      return;
    }
    path_cell = *place.path;
    uid = info.st_uid;
    gid = info.st_gid;
    mode = octal(info.st_mode & 07777U);
    mode_cell = mode;
    if (!guard) guard = attribute_guard(directory->get());
  }
  if (guard) guard_cell = *guard;
  rows.add({job.name, place.is_remote, path_cell, uid, gid, mode_cell, guard_cell});
}

// By the times of the log's files: the oldest rotation was last written to then, and holds nothing
// younger.
struct LogSpan {
  WallSeconds oldest = 0;
  WallSeconds newest = 0;
  std::int64_t files = 0;
};

std::optional<LogSpan> log_span(const Root& root, const std::string& path) {
  const auto slash = path.rfind('/');
  const auto names = root.list(path.substr(0, slash));
  if (!names) return std::nullopt;
  const auto name = path.substr(slash + 1);
  LogSpan span;
  for (const std::string& entry : *names) {
    if (!entry.starts_with(name)) continue;
    const auto info = root.lstat(path.substr(0, slash) + '/' + entry);
    if (!info || !S_ISREG(info->st_mode) || info->st_size == 0) continue;
    const WallSeconds time = info->st_mtim.tv_sec;
    span.oldest = span.files == 0 ? time : std::min(span.oldest, time);
    span.newest = std::max(span.newest, time);
    ++span.files;
  }
  if (span.files == 0) return std::nullopt;
  return span;
}

}  // namespace

Status collect_backup_repositories(sdk::Context& context, sdk::Rows& rows) {
  const auto& host = jobs_of(context);
  if (!host) return host.error();
  for (const Job& job : host->jobs) {
    const RepositoryPlace& place = host->places.at(job.name);
    if (place.problem) {
      rows.gap(job.name, *place.problem);
    } else {
      add_place(context, job, place, rows);
    }
  }
  return Ok{};
}

Status collect_backup_logs(sdk::Context& context, sdk::Rows& rows) {
  const auto& host = jobs_of(context);
  if (!host) return host.error();
  for (const Job& job : host->jobs) {
    const RepositoryPlace& place = host->places.at(job.name);
    if (place.log_path) {
      if (const auto span = log_span(context.root(), *place.log_path)) {
        rows.add({job.name, *place.log_path, span->oldest, span->newest, span->files});
      }
    }
    if (job.unit.empty()) continue;
    const auto span = journal_span(context, job.unit);
    if (!span) {
      rows.gap(job.name, span.error());
    } else if (span->has_entries) {
      rows.add({job.name, "journal", span->oldest, span->newest, 0});
    }
  }
  return Ok{};
}

Status collect_backup_runs(sdk::Context& context, sdk::Rows& rows) {
  constexpr int kDays = 31;
  const auto& host = jobs_of(context);
  if (!host) return host.error();
  std::vector<std::string> units;
  for (const Job& job : host->jobs) {
    if (!job.unit.empty()) {
      units.push_back(job.unit);
    } else if (job.schedule) {
      rows.gap(job.name, {Errc::unsupported, "cron keeps no result of its runs"});
    }
  }
  if (units.empty()) return Ok{};
  const auto runs = unit_runs(context, units, kDays);
  if (!runs) return runs.error();
  for (const UnitRun& run : *runs) {
    for (const Job& job : host->jobs) {
      if (job.unit == run.unit) rows.add({job.name, run.unit, run.time, run.result});
    }
  }
  return Ok{};
}

}  // namespace vouch::backup_jobs
