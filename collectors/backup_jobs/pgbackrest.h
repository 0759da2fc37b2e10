// SPDX-License-Identifier: Apache-2.0
// pgBackRest: its configuration, what `info` prints, and what `verify` prints. Only `verify` reads
// the backups: `info` and every exit status call a damaged backup good.
#pragma once

#include <string>
#include <string_view>

#include "collectors/backup_jobs/repository.h"

namespace vouch::backup_jobs {

// The job's configuration file, or the place that older versions had.
std::string config_path(const Root& root, const Job& job);

RepositoryPlace pgbackrest_place(const Root& root, const Job& job);
// The pure part: `text` in the form of the configuration file.
void read_pgbackrest_config(std::string_view text, std::string_view stanza, RepositoryPlace& place);

// Errc::invalid; not_found, with pgBackRest's words, if the stanza was never created. No backup yet
// is a fact, and no error.
Result<RepositoryState> parse_pgbackrest_info(std::string_view json_text);

// Empty if every backup and archive of `verify --output=text --verbose` is valid; else what is not.
// An answer without any status says nothing: Errc::invalid.
Result<std::string> pgbackrest_damage(std::string_view text);

}  // namespace vouch::backup_jobs
