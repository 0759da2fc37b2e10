// SPDX-License-Identifier: Apache-2.0
// rsnapshot: its configuration, and the directories that it makes, one for each backup.
#pragma once

#include <string_view>

#include "collectors/backup_jobs/repository.h"

namespace vouch::backup_jobs {

RepositoryPlace rsnapshot_place(const Root& root, const Job& job);
// The pure part. Fields are separated by tabs.
void read_rsnapshot_config(std::string_view text, RepositoryPlace& place,
                           std::vector<std::string>& levels);

// The directories LEVEL.N of the snapshot root; rsnapshot gives each the time of its run.
Result<RepositoryState> read_rsnapshot(const Root& root, const Job& job);

}  // namespace vouch::backup_jobs
