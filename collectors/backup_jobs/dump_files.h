// SPDX-License-Identifier: Apache-2.0
// A directory into which something writes dumps or archives, one file for each run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/backup_jobs/repository.h"

namespace vouch::backup_jobs {

struct DumpFile {
  std::string path;
  std::string kind;  // "sql", "pg_dump", "gzip", "zstd", "xz", "tar", "unknown"
  WallSeconds time = 0;
  std::int64_t bytes = 0;
  std::int64_t uid = 0;
  std::string mode;
  std::optional<bool> complete;  // None: this kind has no mark of its end that could be looked at.
};

struct DumpFiles {
  std::vector<DumpFile> files;  // Newest first, at most kDumpFilesMax.
  std::vector<std::pair<std::string, Error>> problems;
};

inline constexpr std::size_t kDumpFilesMax = 100;

// The regular files of the job's directory that match its pattern (all, if it has none). Only the
// newest is looked into.
Result<DumpFiles> read_dump_files(const Root& root, const Job& job);
// The same as backups, one for each file.
Result<RepositoryState> read_dump_snapshots(const Root& root, const Job& job);

// By its first bytes.
std::string_view dump_kind(std::string_view head);
// True, false, or nothing if the text is of no tool that marks its end.
std::optional<bool> has_end_mark(std::string_view head, std::string_view tail);
// gzip: its data expand to the end, with the right checksum; over `bytes_max` expanded: nothing.
std::optional<bool> gzip_is_whole(std::string_view bytes, std::size_t bytes_max,
                                  std::string& expanded_head, std::string& expanded_tail);
// "*.gpg", "*.age": the names say that what is there is encrypted.
bool is_encrypted_name(std::string_view pattern);

}  // namespace vouch::backup_jobs
