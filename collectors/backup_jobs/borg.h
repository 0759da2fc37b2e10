// SPDX-License-Identifier: Apache-2.0
// BorgBackup: what `borg list --json` prints, what borg says when it cannot, and a repository's own
// configuration.
#pragma once

#include <string_view>

#include "collectors/backup_jobs/repository.h"

namespace vouch::backup_jobs {

// Times are UTC if borg ran in that zone. Errc::invalid, naming the archive by its place. Archives
// that a broken-off run left (`.checkpoint`) are no backups.
Result<RepositoryState> parse_borg_list(std::string_view json_text);

// Why borg ended with `exit_code`, without any address or password.
Error explain_borg_failure(int exit_code, std::string_view standard_error);

// `append_only` and whether a key is kept in the repository.
void read_borg_config(std::string_view text, RepositoryPlace& place);

}  // namespace vouch::backup_jobs
