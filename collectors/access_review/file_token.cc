// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/file_token.h"

#include <fmt/format.h>

#include "core/digest.h"

namespace vouch::access {

std::string file_token(const Root& root, std::string_view version,
                       const std::vector<std::string>& paths) {
  std::string state(version);
  for (const std::string& path : paths) {
    state += '\n' + path;
    // The link and what it leads to: either may be replaced.
    for (const auto& status : {root.lstat(path), root.stat(path)}) {
      if (!status) continue;
      state += fmt::format(" {} {} {:o} {} {} {} {}.{} {}.{}", status->st_dev, status->st_ino,
                           status->st_mode, status->st_uid, status->st_gid, status->st_size,
                           status->st_mtim.tv_sec, status->st_mtim.tv_nsec, status->st_ctim.tv_sec,
                           status->st_ctim.tv_nsec);
    }
  }
  return sha256_hex(state);
}

}  // namespace vouch::access
