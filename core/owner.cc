// SPDX-License-Identifier: Apache-2.0
#include "core/owner.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "core/file.h"

namespace vouch {

std::optional<std::string> read_untrusted(const std::string& path, uid_t uid,
                                          std::size_t bytes_max) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd) return std::nullopt;
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  if (status.st_nlink != 1 || (status.st_uid != uid && status.st_uid != ::geteuid())) {
    return std::nullopt;
  }
  auto text = read_all(fd.get(), bytes_max, path);
  if (!text) return std::nullopt;
  return *std::move(text);
}

uid_t owner_of(const std::string& directory) {
  struct stat status {};
  return ::stat(directory.c_str(), &status) == 0 ? status.st_uid : ::geteuid();
}

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
