// SPDX-License-Identifier: Apache-2.0
// Cache tokens of tables that are made from files: their states, without reading them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/root.h"

namespace vouch::access {

// Changes when one of the files or directories does: device, inode, mode, owner, size and times.
// `version` names the code that makes the rows: another one is another token.
std::string file_token(const Root& root, std::string_view version,
                       const std::vector<std::string>& paths);

}  // namespace vouch::access
