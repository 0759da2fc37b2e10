// SPDX-License-Identifier: Apache-2.0
// Runs restic to ask a repository for its snapshots. It only reads: no lock, no cache.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "collectors/backup_jobs/snapshots.h"
#include "core/result.h"
#include "core/root.h"

namespace vouch::backup_jobs {

struct SnapshotList {
  std::vector<Snapshot> snapshots;
  bool is_incomplete = false;  // restic could not read some of them.
};

// The installed restic; not_found says where it was looked for.
Result<std::string> find_restic_program(const Root& root);

// The repository and the password file go by environment, so that no process list shows an address
// with a password in it; nothing else of our environment goes along. Errors as explain_failure(),
// timeout, invalid (what restic printed), too_large.
Result<SnapshotList> ask_restic(const std::string& program, const std::string& repository,
                                const std::string& password_file,
                                std::chrono::milliseconds deadline);

}  // namespace vouch::backup_jobs
