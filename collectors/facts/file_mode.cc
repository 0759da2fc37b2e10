// SPDX-License-Identifier: Apache-2.0
#include "collectors/facts/file_mode.h"

#include <fmt/format.h>
#include <sys/stat.h>

namespace vouch::facts {

std::string_view type_name(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return "regular";
    case S_IFDIR:
      return "directory";
    case S_IFLNK:
      return "symlink";
    case S_IFIFO:
      return "fifo";
    case S_IFSOCK:
      return "socket";
    case S_IFBLK:
      return "block";
    default:
      return "character";
  }
}

std::string mode_text(mode_t mode) {
  return fmt::format("{:04o}", mode & 07777u);
}

}  // namespace vouch::facts
