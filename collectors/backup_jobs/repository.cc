// SPDX-License-Identifier: Apache-2.0
#include "collectors/backup_jobs/repository.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "collectors/backup_jobs/borg.h"
#include "collectors/backup_jobs/dump_files.h"
#include "collectors/backup_jobs/pgbackrest.h"
#include "collectors/backup_jobs/rsnapshot.h"
#include "core/file.h"

namespace vouch::backup_jobs {
namespace {

constexpr std::size_t kConfigBytesMax = std::size_t{1} << 20;
constexpr std::size_t kAnswerBytesMax = std::size_t{64} << 20;

std::string_view local_path(const Job& job) {
  std::string_view path = job.repository;
  for (const std::string_view prefix : {"local:", "file://"}) {
    if (path.starts_with(prefix)) path.remove_prefix(prefix.size());
  }
  return path.starts_with('/') ? path : std::string_view();
}

RepositoryPlace place_of_address(const Root& root, const Job& job) {
  RepositoryPlace place;
  place.address = job.repository;
  place.is_remote = is_remote(job.tool, job.repository);
  if (const auto path = local_path(job); !path.empty()) place.path = path;
  if (job.tool == "restic") place.encrypted = true;  // It knows no other repositories.
  if (job.tool == "directory") place.encrypted = is_encrypted_name(job.pattern);
  if (job.tool == "borg" && place.path) {
    const auto text = root.read(*place.path + "/config", kConfigBytesMax);
    if (text) read_borg_config(*text, place);
  }
  return place;
}

ToolCall restic_call(const Job& job, std::string program) {
  ToolCall call{{}, "restic"};
  call.command.argv = {std::move(program), "--no-lock", "--no-cache"};
  call.command.environment.push_back("RESTIC_REPOSITORY=" + job.repository);
  if (job.password_file)
    call.command.environment.push_back("RESTIC_PASSWORD_FILE=" + *job.password_file);
  return call;
}

ToolCall borg_call(const Root& root, const Job& job, std::string program,
                   const std::string& directory) {
  constexpr const char* kKeys = "/root/.config/borg/keys";
  ToolCall call{{}, "borg"};
  call.command.argv = {std::move(program)};
  auto& environment = call.command.environment;
  environment = {"BORG_REPO=" + job.repository, "BORG_BASE_DIR=" + directory + "/borg", "TZ=UTC",
                 "BORG_RELOCATED_REPO_ACCESS_IS_OK=yes",
                 "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes"};
  if (root.exists(kKeys)) environment.push_back(std::string("BORG_KEYS_DIR=") + kKeys);
  if (job.password_file)
    environment.push_back("BORG_PASSCOMMAND=cat \"" + *job.password_file + '"');
  return call;
}

// A tool would wait, until its deadline, for a file system that is known not to answer.
Status require_answering(const Root& root, const Job& job) {
  const RepositoryPlace place = place_of(root, job);
  for (const auto& path : {place.path, job.password_file, place.credentials_file}) {
    const auto info = path ? root.stat(*path) : Result<struct stat>(Error{Errc::not_found, ""});
    if (!info && info.error().code == Errc::timeout) return info.error();
  }
  return Ok{};
}

Result<RepositoryState> ask_restic(ToolCall call) {
  auto& argv = call.command.argv;
  argv.insert(argv.begin() + 1, {"snapshots", "--json"});
  const auto exit = run_tool(std::move(call));
  if (!exit) return exit.error();
  if (exit->code != 0) return explain_failure(exit->code, exit->standard_error);
  auto snapshots = parse_snapshots(exit->standard_output);
  if (!snapshots) return std::move(snapshots).error();
  RepositoryState state{*std::move(snapshots), true, {}};
  if (left_out_snapshots(exit->standard_error)) {
    state.trouble = Error{Errc::corrupt, "restic could not read all snapshots; run restic check"};
  }
  return state;
}

Result<RepositoryState> ask_borg(ToolCall call) {
  auto& argv = call.command.argv;
  argv.insert(argv.end(), {"list", "--bypass-lock", "--json", "--consider-checkpoints", "--format",
                           "{hostname}{end}{command_line}"});
  const auto exit = run_tool(std::move(call));
  if (!exit) return exit.error();
  if (exit->code != 0) return explain_borg_failure(exit->code, exit->standard_error);
  return parse_borg_list(exit->standard_output);
}

Result<RepositoryState> ask_pgbackrest(ToolCall call, const RepositoryPlace& place) {
  auto& argv = call.command.argv;
  argv.insert(argv.end(), {"info", "--output=json"});
  const auto exit = run_tool(std::move(call));
  if (!exit) return exit.error();
  if (exit->code != 0) {
    return Error{Errc::tool_failed, "pgbackrest ended with status " + std::to_string(exit->code)};
  }
  auto state = parse_pgbackrest_info(exit->standard_output);
  if (!state) return state;
  for (Snapshot& snapshot : state->snapshots) snapshot.paths = place.paths;
  return state;
}

}  // namespace

RepositoryPlace place_of(const Root& root, const Job& job) {
  if (job.tool == "pgbackrest") return pgbackrest_place(root, job);
  if (job.tool == "rsnapshot") return rsnapshot_place(root, job);
  return place_of_address(root, job);
}

Result<WorkDirectory> WorkDirectory::make(const std::string& cache_dir) {
  if (!cache_dir.empty()) return WorkDirectory(cache_dir, false);
  std::string path = "/tmp/vouch-backup-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) return errno_error("make " + path, errno);
  return WorkDirectory(std::move(path), true);
}

WorkDirectory::WorkDirectory(WorkDirectory&& other) noexcept
    : path_(std::move(other.path_)), is_temporary_(std::exchange(other.is_temporary_, false)) {}

WorkDirectory::~WorkDirectory() {
  std::error_code ignored;
  if (is_temporary_) std::filesystem::remove_all(path_, ignored);
}

Result<std::string> find_program(const Root& root, const std::string& name) {
  for (const std::string_view directory : {"/usr/bin/", "/usr/local/bin/"}) {
    const std::string path = std::string(directory) + name;
    if (root.exists(path)) return path;
  }
  return Error{Errc::not_found, name + " is neither in /usr/bin nor in /usr/local/bin"};
}

Result<Exit> run_tool(ToolCall call, const OutputSink& sink) {
  call.command.output_bytes_max = kAnswerBytesMax;
  auto defaults = default_environment();
  call.command.environment.insert(call.command.environment.end(), defaults.begin(), defaults.end());
  auto exit = run_process(std::move(call.command), sink);
  if (!exit) return std::move(exit).error().in(call.name);
  switch (exit->how) {
    case Exit::How::exited:
      return exit;
    case Exit::How::deadline:
      return Error{Errc::timeout, call.name + " did not answer in time"};
    case Exit::How::output_too_large:
      return Error{Errc::too_large, call.name + " printed over 64 MiB"};
    case Exit::How::signalled:
    case Exit::How::cancelled:
      break;
  }
  return Error{Errc::tool_failed, call.name + " was killed"};
}

Result<ToolCall> tool_call(const Root& root, const Job& job, const std::string& directory,
                           std::chrono::milliseconds deadline) {
  auto program = find_program(root, job.tool);
  if (!program) return std::move(program).error();
  if (auto answering = require_answering(root, job); !answering) return answering.error();
  ToolCall call;
  if (job.tool == "restic") {
    call = restic_call(job, *std::move(program));
  } else if (job.tool == "borg") {
    call = borg_call(root, job, *std::move(program), directory);
  } else if (job.tool == "pgbackrest") {
    call.name = job.tool;
    call.command.argv = {*std::move(program), "--config=" + config_path(root, job),
                         "--stanza=" + job.stanza, "--log-level-file=off",
                         "--log-level-console=off"};
  } else {
    return Error{Errc::unsupported, job.tool + " is not asked: its files are read"};
  }
  call.command.deadline = deadline;
  return call;
}

Result<RepositoryState> ask_repository(const Root& root, const Job& job,
                                       const std::string& directory,
                                       std::chrono::milliseconds deadline) {
  if (job.tool == "rsnapshot") return read_rsnapshot(root, job);
  if (job.tool == "directory") return read_dump_snapshots(root, job);
  auto call = tool_call(root, job, directory, deadline);
  if (!call) return std::move(call).error();
  if (job.tool == "restic") return ask_restic(*std::move(call));
  if (job.tool == "borg") return ask_borg(*std::move(call));
  return ask_pgbackrest(*std::move(call), place_of(root, job));
}

}  // namespace vouch::backup_jobs
