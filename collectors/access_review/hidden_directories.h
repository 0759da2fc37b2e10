// SPDX-License-Identifier: Apache-2.0
// Directories that are there but cannot be listed: a pattern finds nothing in them, without a word.
#pragma once

#include <initializer_list>
#include <string>

#include "collectors/sdk/context.h"
#include "core/root.h"

namespace vouch::access {

// Each of them becomes a gap of `rows`. One that does not exist is none.
inline void tell_hidden_directories(const Root& root, sdk::Rows& rows,
                                    std::initializer_list<const char*> directories) {
  for (const std::string directory : directories) {
    const auto listed = root.list(directory);
    if (!listed && listed.error().code != Errc::not_found) rows.gap(directory, listed.error());
  }
}

}  // namespace vouch::access
