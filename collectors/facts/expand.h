// SPDX-License-Identifier: Apache-2.0
// Files as package managers keep them, plain or compressed, read in pieces: the whole file is never
// in memory.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "core/result.h"

namespace vouch::facts {

inline constexpr std::size_t kExpandedBytesMax = std::size_t{1} << 30;

// Receives a piece of the expanded file; an error from it ends the reading.
using PieceSink = std::function<Status(std::string_view)>;

// Reads the open file to its end. What it is compressed with (nothing, LZ4, gzip, xz, Zstandard) is
// told by its first bytes. Errors: invalid (damaged, cut off), unsupported (bzip2), too_large (over
// 1 GiB expanded); their messages begin with `name`.
Status expand_file(int fd, std::string_view name, const PieceSink& sink);

}  // namespace vouch::facts
