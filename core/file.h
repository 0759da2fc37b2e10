// SPDX-License-Identifier: Apache-2.0
// Files: bounded reading and durable writing. Nothing else in the program writes state.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace vouch {

// Owns a file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  [[nodiscard]] int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

// Reads at most `bytes_max` bytes from the open descriptor to its end; more is Errc::too_large.
// `name` is for the error message.
Result<std::string> read_all(int fd, std::size_t bytes_max, std::string_view name);

// Opens (O_NOFOLLOW on the last component is *not* set) and reads a regular file.
// Anything but a regular file is Errc::invalid. FIFOs and devices never block it.
Result<std::string> read_file(const std::string& path, std::size_t bytes_max);

// A file in memory with `bytes`, to be read from its beginning: input for another process, which
// reads at its own pace and blocks nobody.
Result<Fd> memory_file(std::string_view bytes);

// Writes the whole of `bytes`, retrying short writes.
Status write_all(int fd, std::string_view bytes, std::string_view name);

// The one way state reaches the disk: temporary file in the same directory (".tmp-…"), write,
// fsync, rename over `path`, fsync of the directory. On failure `path` is as it was and the
// temporary file is gone.
Status write_file_durable(const std::string& path, std::string_view bytes, mode_t mode = 0640);
// The same with the temporary file in `tmp_dir` (same file system): maildir style.
Status write_file_durable_via(const std::string& tmp_dir, const std::string& path,
                              std::string_view bytes, mode_t mode = 0640);
Status sync_directory(const std::string& path);
// rename(2), then fsync of the target's directory (and of the source's, if another).
Status rename_durable(const std::string& from, const std::string& to);
// unlink(2); a file that is not there is fine.
Status remove_file(const std::string& path);
// mkdir -p with `mode` for what is made.
Status make_directories(const std::string& path, mode_t mode = 0750);
// Names in a directory without "." and "..", sorted bytewise; more than `entries_max` is too_large.
Result<std::vector<std::string>> list_directory(const std::string& path, std::size_t entries_max);
bool file_exists(const std::string& path);

// Refuses (Errc::denied, naming the path and what to do) a file that others could change: it and
// each parent directory must be owned by root or by `trusted_uid`, and not be writable by group or
// others (a sticky directory such as /tmp is accepted as a parent).
Status require_trusted_path(const std::string& path, uid_t trusted_uid);

}  // namespace vouch
