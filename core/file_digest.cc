// SPDX-License-Identifier: Apache-2.0
#include "core/file_digest.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "core/digest.h"

namespace vouch {
namespace {

constexpr std::size_t kReadBytes = 64u << 10;

std::int64_t nanoseconds(const struct timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

FileMark mark_of(const struct stat& status) {
  return FileMark{status.st_dev, status.st_ino, status.st_size, nanoseconds(status.st_mtim),
                  nanoseconds(status.st_ctim)};
}

Result<Fd> open_to_read(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return errno_error("open " + path, errno);
  return fd;
}

}  // namespace

Result<std::string> file_digest(int fd, const std::string& path) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return errno_error("stat " + path, errno);
  if (!S_ISREG(status.st_mode)) return Error{Errc::invalid, path + ": not a regular file"};
  Sha256 hash;
  std::vector<char> buffer(kReadBytes);
  std::size_t total = 0;
  for (;;) {
    const ssize_t got = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(total));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("read " + path, errno);
    if (got == 0) return hash.finish_hex();
    total += static_cast<std::size_t>(got);
    if (total > kExecutableBytesMax) return Error{Errc::too_large, path + ": over 256 MiB"};
    hash.update({buffer.data(), static_cast<std::size_t>(got)});
  }
}

Result<std::string> file_digest(const std::string& path) {
  auto fd = open_to_read(path);
  if (!fd) return std::move(fd).error();
  return file_digest(fd->get(), path);
}

std::string FileMark::text() const {
  return std::to_string(device) + ":" + std::to_string(inode) + ":" + std::to_string(size) + ":" +
         std::to_string(modified_ns) + ":" + std::to_string(changed_ns);
}

Result<FileMark> file_mark(int fd, const std::string& path) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return errno_error("stat " + path, errno);
  return mark_of(status);
}

Result<FileMark> file_mark(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return errno_error("stat " + path, errno);
  return mark_of(status);
}

void FileDigests::learn(const std::string& path, KnownFile known) {
  known_.try_emplace(path, std::move(known));
}

Result<KnownFile> FileDigests::of(const std::string& path) {
  auto fd = open_to_read(path);
  if (!fd) return std::move(fd).error();
  auto mark = file_mark(fd->get(), path);
  if (!mark) return std::move(mark).error();
  KnownFile& known = known_[path];
  if (!known.digest.empty() && known.mark == *mark) return known;
  auto digest = file_digest(fd->get(), path);
  if (!digest) {
    known_.erase(path);
    return std::move(digest).error();
  }
  known = {*mark, *std::move(digest)};
  return known;
}

}  // namespace vouch
