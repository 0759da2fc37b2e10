// SPDX-License-Identifier: Apache-2.0
// What a job's repository says of itself, whatever the tool: its backups, and where it is.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "collectors/backup_jobs/jobs.h"
#include "collectors/backup_jobs/snapshots.h"
#include "core/process.h"
#include "core/result.h"
#include "core/root.h"

namespace vouch::backup_jobs {

struct RepositoryState {
  std::vector<Snapshot> snapshots;
  std::optional<bool> encrypted;  // None: not known by the answer.
  std::optional<Error> trouble;   // The answer is not whole; what there is stands.
};

// What the configuration alone says, without asking any tool.
struct RepositoryPlace {
  std::string address;              // For people; may hold a password.
  std::optional<std::string> path;  // On this host.
  bool is_remote = false;
  std::optional<bool> encrypted;                // None: only the tool knows.
  std::optional<std::string> deletion_guard;    // "append-only": set in the repository itself.
  std::optional<std::string> credentials_file;  // Of its own configuration.
  std::vector<std::string> paths;               // That its own configuration names.
  std::optional<std::string> log_path;          // Where the tool writes its log.
  std::optional<Error> problem;                 // The configuration cannot be read.
};
RepositoryPlace place_of(const Root& root, const Job& job);

// A directory that a tool may write into: the collector's own between runs, or a new one that is
// removed at the end.
class WorkDirectory {
 public:
  static Result<WorkDirectory> make(const std::string& cache_dir);
  ~WorkDirectory();
  WorkDirectory(WorkDirectory&& other) noexcept;
  WorkDirectory& operator=(WorkDirectory&&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  WorkDirectory(std::string path, bool is_temporary)
      : path_(std::move(path)), is_temporary_(is_temporary) {}
  std::string path_;
  bool is_temporary_;
};

// The installed program: in /usr/bin or /usr/local/bin. not_found says where it was looked for.
Result<std::string> find_program(const Root& root, const std::string& name);

// The tool's command for the job, without its own arguments: program, environment (repository and
// password by reference), deadline.
struct ToolCall {
  Command command;
  std::string name;
};
// Runs it. Errors: timeout, too_large, tool_failed; the exit status is the caller's matter.
Result<Exit> run_tool(ToolCall call, const OutputSink& sink = nullptr);

// Asks the job's repository. `directory` is for tools that need to write.
Result<RepositoryState> ask_repository(const Root& root, const Job& job,
                                       const std::string& directory,
                                       std::chrono::milliseconds deadline);

// The calls by which a job's repository is asked, checked, or a file read out of it.
Result<ToolCall> tool_call(const Root& root, const Job& job, const std::string& directory,
                           std::chrono::milliseconds deadline);

}  // namespace vouch::backup_jobs
