// SPDX-License-Identifier: Apache-2.0
// A file system root to examine: "/" of the running host, or a directory with a mounted image.
// Every path is opened by openat2(2) with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, so that no
// symbolic link leads out. What is no regular file is known before it is opened, so that no FIFO
// blocks and no device does what opening it does: a user's link to a watchdog would restart the
// host. In a sandbox without openat2(2) the host itself can still be examined, an image cannot.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/file.h"
#include "core/result.h"

namespace vouch {

class Root {
 public:
  // Opens the directory `path`. Errors as open(2).
  static Result<Root> open(const std::string& path);

  [[nodiscard]] bool is_host() const { return is_host_; }  // The running host itself ("/").
  [[nodiscard]] const std::string& path() const { return path_; }

  // `path` is absolute inside the root ("/etc/passwd"). The last component's symlink is followed
  // (inside the root). Errors: not_found, denied, too_large, invalid (not a regular file).
  Result<std::string> read(std::string_view path, std::size_t bytes_max) const;
  Result<Fd> open_file(std::string_view path) const;  // Regular file, read-only.
  Result<Fd> open_directory(std::string_view path) const;
  // Sorted bytewise. A directory that does not exist is Errc::not_found.
  Result<std::vector<std::string>> list(std::string_view path,
                                        std::size_t entries_max = 100000) const;
  Result<struct stat> stat(std::string_view path) const;   // Follows the last symlink.
  Result<struct stat> lstat(std::string_view path) const;  // Does not.
  Result<std::string> read_link(std::string_view path) const;
  [[nodiscard]] bool exists(std::string_view path) const { return stat(path).has_value(); }

  // Mount points inside the root that are dead: whatever leads onto one of them, by its own path
  // or by a link, is Errc::timeout at once instead of a wait without an end.
  void avoid(std::set<std::string> mount_points) { avoided_ = std::move(mount_points); }

 private:
  Root(Fd fd, std::string path, bool is_host)
      : fd_(std::move(fd)), path_(std::move(path)), is_host_(is_host) {}
  Result<Fd> open_in(std::string_view path, int flags) const;
  Result<Fd> open_under(std::string_view path, int flags, int resolve) const;
  Result<std::string> resolve_around(std::string_view path, bool is_last_kept) const;
  Fd fd_;
  std::set<std::string> avoided_;
  std::string path_;
  bool is_host_;
};

}  // namespace vouch
