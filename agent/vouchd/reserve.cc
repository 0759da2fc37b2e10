// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/reserve.h"

#include <fcntl.h>
#include <sys/statvfs.h>

#include <cerrno>

#include "core/file.h"
#include "core/log.h"

namespace vouch::agent {
namespace {

// True if the space was there.
bool take(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) return false;
  if (posix_fallocate(fd.get(), 0, kReserveBytes) == 0) return true;
  // Taken by halves it would be of no use to anybody.
  [[maybe_unused]] const auto removed = remove_file(path);
  return false;
}

}  // namespace

Result<std::int64_t> free_bytes(const std::string& path) {
  struct statvfs status {};
  if (::statvfs(path.c_str(), &status) != 0) return errno_error("statvfs " + path, errno);
  return static_cast<std::int64_t>(status.f_bavail) * static_cast<std::int64_t>(status.f_frsize);
}

Result<bool> Reserve::look() {
  auto free = free_bytes(path_.substr(0, path_.rfind('/')));
  if (!free) return std::move(free).error();
  const bool have = file_exists(path_);
  if (*free < kFreeBytesMin && have) {
    log::error("the disk is full: the reserve of " + std::to_string(kReserveBytes >> 20) +
               " MiB is given back, nothing is collected until there is room");
    if (auto removed = remove_file(path_); !removed) return std::move(removed).error();
    return true;
  }
  if (have) return false;
  // With some room beyond, so that it does not come and go.
  if (*free < kReserveBytes + 2 * kFreeBytesMin) return true;
  return !take(path_);
}

}  // namespace vouch::agent
