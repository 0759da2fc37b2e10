// SPDX-License-Identifier: Apache-2.0
#include "core/root.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <memory>

namespace vouch {
namespace {

constexpr int kRetriesMax = 32;
constexpr int kLinksMax = 40;  // As the kernel.

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

// An error that names the path as the host sees it.
Error path_error(std::string_view what, const std::string& root, std::string_view path,
                 int number) {
  return errno_error(std::string(what) + " " + (root == "/" ? "" : root) + std::string(path),
                     number);
}

Result<Fd> open_plainly(const std::string& path, int flags) {
  for (int i = 0;; ++i) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
    if (fd >= 0) return Fd(fd);
    if (errno == EINTR && i < kRetriesMax) continue;
    return path_error("open", "/", path, errno);
  }
}

// Errors: EINVAL or ENOENT where it is no link.
Result<std::string> link_target(const Fd& fd) {
  std::array<char, PATH_MAX + 1> target;
  const ssize_t length = readlinkat(fd.get(), "", target.data(), target.size());
  if (length < 0) return errno_error("read link", errno);
  return std::string(target.data(), static_cast<std::size_t>(length));
}

}  // namespace

Result<Root> Root::open(const std::string& path) {
  Fd fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return errno_error("open root " + path, errno);
  struct stat here {};
  struct stat host {};
  if (fstat(fd.get(), &here) != 0) return errno_error("stat root " + path, errno);
  if (::stat("/", &host) != 0) return errno_error("stat /", errno);
  const bool is_host = here.st_dev == host.st_dev && here.st_ino == host.st_ino;
  return Root(std::move(fd), is_host ? "/" : path, is_host);
}

Result<Fd> Root::open_in(std::string_view path, int flags) const {
  if (path.empty() || path[0] != '/' || path.find('\0') != std::string_view::npos) {
    return Error{Errc::invalid, "open " + std::string(path) + ": not an absolute path"};
  }
  if (avoided_.empty()) return open_under(path, flags, 0);
  const auto plain = resolve_around(path, (flags & O_NOFOLLOW) != 0);
  if (!plain) return plain.error();
  return open_under(*plain, flags | O_NOFOLLOW, RESOLVE_NO_SYMLINKS);
}

Result<Fd> Root::open_under(std::string_view path, int flags, int resolve) const {
  const std::string name(path);
  struct open_how how {};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = static_cast<std::uint64_t>(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve);
  for (int i = 0;; ++i) {
    const long fd = syscall(SYS_openat2, fd_.get(), name.c_str(), &how, sizeof how);
    if (fd >= 0) return Fd(static_cast<int>(fd));
    // The kernel asks to try again if something was renamed while ".." was resolved.
    if ((errno == EAGAIN || errno == EINTR) && i < kRetriesMax) continue;
    // A sandbox that forbids set-id bits (systemd's RestrictSUIDSGID=) forbids openat2(2), whose
    // flags no filter can see. Nothing is outside of the host itself, so open(2) does there.
    if (errno == ENOSYS && is_host_) return open_plainly(name, flags);
    return path_error("open", path_, path, errno);
  }
}

// The same path without links, found step by step: none leads onto what is avoided unseen.
Result<std::string> Root::resolve_around(std::string_view path, bool is_last_kept) const {
  std::string at;
  std::string rest(path);
  for (int links = 0;;) {
    const auto start = rest.find_first_not_of('/');
    if (start == std::string::npos) return at.empty() ? std::string("/") : at;
    const std::string name = rest.substr(start, rest.find('/', start) - start);
    rest.erase(0, start + name.size());
    if (name == ".") continue;
    if (name == "..") {
      at.erase(std::min(at.rfind('/'), at.size()));
      continue;
    }
    const std::string next = at + '/' + name;
    if (avoided_.contains(next)) {
      return Error{Errc::timeout, "open " + std::string(path) + ": the file system at " + next +
                                      " does not answer"};
    }
    const auto found = open_under(next, O_PATH | O_NOFOLLOW, RESOLVE_NO_SYMLINKS);
    if (!found) return found.error();
    const bool is_last = rest.find_first_not_of('/') == std::string::npos;
    const auto target = link_target(*found);
    if (!target || (is_last && is_last_kept)) {
      at = next;
      continue;
    }
    if (++links > kLinksMax) return path_error("open", path_, path, ELOOP);
    if (target->starts_with('/')) at.clear();
    rest.insert(0, *target);
  }
}

Result<Fd> Root::open_file(std::string_view path) const {
  const auto found = open_in(path, O_PATH);
  if (!found) return found.error();
  struct stat status {};
  if (fstat(found->get(), &status) != 0) return path_error("stat", path_, path, errno);
  if (!S_ISREG(status.st_mode)) {
    return Error{Errc::invalid, "open " + std::string(path) + ": not a regular file"};
  }
  // The very file that was looked at, whatever its name leads to by now.
  constexpr int kFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
  const std::string same = "/proc/self/fd/" + std::to_string(found->get());
  const int fd = ::open(same.c_str(), kFlags | O_CLOEXEC);
  if (fd >= 0) return Fd(fd);
  // Without /proc, by its name.
  if (errno == ENOENT || errno == EINTR) return open_in(path, kFlags);
  return path_error("open", path_, path, errno);
}

Result<Fd> Root::open_directory(std::string_view path) const {
  return open_in(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_NOCTTY);
}

Result<std::string> Root::read(std::string_view path, std::size_t bytes_max) const {
  auto fd = open_file(path);
  if (!fd) return std::move(fd).error();
  return read_all(fd->get(), bytes_max, path);
}

Result<std::vector<std::string>> Root::list(std::string_view path, std::size_t entries_max) const {
  auto fd = open_directory(path);
  if (!fd) return std::move(fd).error();
  const std::unique_ptr<DIR, CloseDirectory> directory(fdopendir(fd->get()));
  if (!directory) return path_error("list", path_, path, errno);
  fd->release();  // The stream owns the descriptor from here on.

  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const struct dirent* entry = readdir(directory.get());
    if (entry == nullptr) break;
    std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (names.size() == entries_max) {
      return Error{Errc::too_large, "list " + std::string(path) + ": more than " +
                                        std::to_string(entries_max) + " entries"};
    }
    names.push_back(std::move(name));
  }
  if (errno != 0) return path_error("list", path_, path, errno);
  std::sort(names.begin(), names.end());
  return names;
}

Result<struct stat> Root::stat(std::string_view path) const {
  auto fd = open_in(path, O_PATH);
  if (!fd) return std::move(fd).error();
  struct stat status {};
  if (fstat(fd->get(), &status) != 0) return path_error("stat", path_, path, errno);
  return status;
}

Result<struct stat> Root::lstat(std::string_view path) const {
  auto fd = open_in(path, O_PATH | O_NOFOLLOW);
  if (!fd) return std::move(fd).error();
  struct stat status {};
  if (fstat(fd->get(), &status) != 0) return path_error("stat", path_, path, errno);
  return status;
}

Result<std::string> Root::read_link(std::string_view path) const {
  auto fd = open_in(path, O_PATH | O_NOFOLLOW);
  if (!fd) return std::move(fd).error();
  std::array<char, PATH_MAX + 1> target;
  const ssize_t length = readlinkat(fd->get(), "", target.data(), target.size());
  if (length < 0) {
    // On what is no symbolic link the kernel says ENOENT here, which would read as "not there".
    return path_error("read link", path_, path, errno == ENOENT ? EINVAL : errno);
  }
  if (static_cast<std::size_t>(length) == target.size()) {
    return path_error("read link", path_, path, ENAMETOOLONG);
  }
  return std::string(target.data(), static_cast<std::size_t>(length));
}

}  // namespace vouch
