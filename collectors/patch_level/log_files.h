// SPDX-License-Identifier: Apache-2.0
// Log files with what logrotate made of them: NAME, NAME.1, NAME.2.gz …
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/root.h"

namespace vouch::patch_level {

inline constexpr std::size_t kLogBytesMax = std::size_t{64} << 20;  // Of one file, expanded.

// Paths of the log and its rotations, newest first: by number, a log without one first. not_found:
// there is no log of that name.
Result<std::vector<std::string>> log_paths(const Root& root, std::string_view path);

// Plain or gzip, by its first bytes. Errors as Root::read, and invalid for damaged gzip data.
Result<std::string> read_log(const Root& root, std::string_view path);

// Expands gzip data of one or more members.
Result<std::string> gunzip(std::string_view bytes, std::size_t bytes_max);

}  // namespace vouch::patch_level
