// SPDX-License-Identifier: Apache-2.0
// What this collector tests itself, where a job asks for it, every so many days: the repository's
// integrity by the tool's own check, and a restore: sample files are read out of the newest backup
// and compared with their sources. What comes out is hashed as it streams; nothing of it is kept,
// so no scratch space holds what the backup protects.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/backup_jobs/repository.h"

namespace vouch::backup_jobs {

struct TestResult {
  WallSeconds time = 0;  // When it ended.
  bool ok = false;
  std::string message;
  std::int64_t duration_s = 0;
  std::optional<std::int64_t> files;  // That were compared; none: not a restore.
  std::optional<std::int64_t> mismatched;
  bool operator==(const TestResult&) const = default;
};

// Results of earlier runs by "job\nkind".
using TestMemory = std::map<std::string, TestResult>;
std::string serialize(const TestMemory& memory);
Result<TestMemory> parse_test_memory(std::string_view bytes);

// Restic's and borg's `check`, pgBackRest's `verify`. An Error: it could not be done, which is no
// result; a damaged repository is one.
Result<TestResult> check_repository(const Root& root, const Job& job, const std::string& directory,
                                    std::chrono::milliseconds deadline);

// Errors: no backup, no sample, no sample file that is as it was when the backup was made.
Result<TestResult> test_restore(const Root& root, const Job& job, const RepositoryState& state,
                                const std::string& directory, std::chrono::milliseconds deadline);

}  // namespace vouch::backup_jobs
