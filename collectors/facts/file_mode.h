// SPDX-License-Identifier: Apache-2.0
// What a file's st_mode (inode(7)) is called in the tables: as find(1) and osquery have it.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

namespace vouch::facts {

// "regular", "directory", "symlink", "fifo", "socket", "block", "character".
std::string_view type_name(mode_t mode);
std::string mode_text(mode_t mode);  // "0644", "4755": the permission bits in octal.

}  // namespace vouch::facts
