// SPDX-License-Identifier: Apache-2.0
// Package lists of any size, plain or compressed as apt keeps them, read in pieces: the whole list
// is never in memory.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vouch::patch_level {

// Receives one stanza without the empty line after it. The view is gone when it returns.
using StanzaSink = std::function<void(std::string_view)>;

// Reads the open file to its end and hands over each stanza. What it is compressed with (nothing,
// LZ4, gzip, xz, Zstandard) is told by its first bytes. Errors: those of facts::expand_file, and
// invalid (junk, a stanza over 1 MiB). `name` is for the message.
Status read_stanzas(int fd, std::string_view name, const StanzaSink& sink);

}  // namespace vouch::patch_level
