// SPDX-License-Identifier: Apache-2.0
#include "core/owner.h"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace vouch {

Status become_owner_of(const std::string& directory) {
  struct stat info {};
  if (::geteuid() != 0 || ::stat(directory.c_str(), &info) != 0 || info.st_uid == 0) return Ok{};
  if (::setgroups(1, &info.st_gid) != 0 ||
      ::setresgid(info.st_gid, info.st_gid, info.st_gid) != 0 ||
      ::setresuid(info.st_uid, info.st_uid, info.st_uid) != 0) {
    return errno_error("become the owner of " + directory, errno);
  }
  return Ok{};
}

}  // namespace vouch
