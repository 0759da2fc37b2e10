// SPDX-License-Identifier: Apache-2.0
#include "collectors/backup_jobs/restic.h"

#include <array>
#include <string_view>
#include <utility>

#include "core/process.h"

namespace vouch::backup_jobs {
namespace {

constexpr std::size_t kAnswerBytesMax = std::size_t{64} << 20;

}  // namespace

Result<std::string> find_restic_program(const Root& root) {
  for (const std::string_view path : {"/usr/bin/restic", "/usr/local/bin/restic"}) {
    if (root.exists(path)) return std::string(path);
  }
  return Error{Errc::not_found, "restic is neither in /usr/bin nor in /usr/local/bin"};
}

Result<SnapshotList> ask_restic(const std::string& program, const std::string& repository,
                                const std::string& password_file,
                                std::chrono::milliseconds deadline) {
  Command command;
  command.argv = {program, "snapshots", "--json", "--no-lock", "--no-cache"};
  command.environment = default_environment();
  command.environment.push_back("RESTIC_REPOSITORY=" + repository);
  command.environment.push_back("RESTIC_PASSWORD_FILE=" + password_file);
  command.deadline = deadline;
  command.output_bytes_max = kAnswerBytesMax;
  const auto exit = run_process(command);
  if (!exit) return Error(exit.error()).in("restic");
  switch (exit->how) {
    case Exit::How::exited:
      break;
    case Exit::How::deadline:
      return Error{Errc::timeout, "restic did not answer in time"};
    case Exit::How::output_too_large:
      return Error{Errc::too_large, "restic printed over 64 MiB"};
    case Exit::How::signalled:
    case Exit::How::cancelled:
      return Error{Errc::tool_failed, "restic was killed"};
  }
  if (exit->code != 0) return explain_failure(exit->code, exit->standard_error);
  auto snapshots = parse_snapshots(exit->standard_output);
  if (!snapshots) return std::move(snapshots).error();
  return SnapshotList{*std::move(snapshots), left_out_snapshots(exit->standard_error)};
}

}  // namespace vouch::backup_jobs
