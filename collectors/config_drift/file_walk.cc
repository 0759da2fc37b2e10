// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/file_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <optional>

namespace vouch::drift {
namespace {

constexpr std::size_t kNamesMax = 500'000;  // Of one directory.
constexpr std::size_t kEntriesPerLook = 1024;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

// Reading these would ask a network, or give other bytes every time.
bool is_foreign_file_system(int fd) {
  static constexpr std::array<long, 9> kForeign{
      PROC_SUPER_MAGIC, SYSFS_MAGIC,           NFS_SUPER_MAGIC,
      SMB_SUPER_MAGIC,  0xFF534D42 /* cifs */, 0xFE534D42 /* smb2 */,
      FUSE_SUPER_MAGIC, AFS_SUPER_MAGIC,       CGROUP2_SUPER_MAGIC};
  struct statfs status;
  if (::fstatfs(fd, &status) != 0) return true;
  return std::find(kForeign.begin(), kForeign.end(), static_cast<long>(status.f_type)) !=
         kForeign.end();
}

bool is_below(std::string_view path, std::string_view parent) {
  if (parent == "/") return true;
  return path.starts_with(parent) && (path.size() == parent.size() || path[parent.size()] == '/');
}

std::string tidy_path(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

class Walker {
 public:
  Walker(const Root& root, const WalkLimits& limits, const OnGap& on_gap)
      : root_(root), limits_(limits), on_gap_(on_gap) {}

  Result<std::vector<FileEntry>> walk(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
      if (is_excluded(path) || is_untouched(path)) continue;
      const auto status = root_.lstat(path);
      if (!status) {
        if (status.error().code != Errc::not_found) on_gap_(path, status.error());
        continue;
      }
      add(path, *status);
      const auto target = root_.stat(path);
      if (!target || !S_ISDIR(target->st_mode)) continue;
      auto fd = root_.open_directory(path);
      if (!fd) {
        on_gap_(path, fd.error());
      } else {
        enter(path, *std::move(fd), target->st_dev, 0);
      }
    }
    if (failure_) return *failure_;
    return std::move(entries_);
  }

 private:
  bool is_excluded(std::string_view path) const {
    return std::any_of(limits_.excluded.begin(), limits_.excluded.end(),
                       [&](const std::string& excluded) { return is_below(path, excluded); });
  }

  bool is_untouched(const std::string& path) const {
    if (limits_.untouched.empty() || !limits_.untouched.contains(path)) return false;
    on_gap_(path, {Errc::unsupported, "is a remote or virtual file system"});
    return true;
  }

  void add(std::string path, const struct stat& status) {
    if (entries_.size() >= limits_.entries_max) {
      failure_ = Error{Errc::too_large, "more files than the limit; narrow `paths`"};
    } else if (entries_.size() % kEntriesPerLook == 0 && limits_.is_over && limits_.is_over()) {
      failure_ = Error{Errc::timeout, "the deadline passed while walking"};
    } else {
      entries_.push_back({std::move(path), status});
    }
  }

  Result<std::vector<std::string>> names_in(DIR* directory) const {
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(directory)) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (names.size() >= kNamesMax) return Error{Errc::too_large, "has too many entries"};
      names.emplace_back(name);
    }
    if (errno != 0) return errno_error("read the directory", errno);
    std::sort(names.begin(), names.end());
    return names;
  }

  void enter(const std::string& path, Fd fd, dev_t device, int depth) {
    if (depth > limits_.depth_max) return on_gap_(path, {Errc::too_large, "is nested too deep"});
    const int number = fd.release();
    const Directory directory(::fdopendir(number));
    if (!directory) {
      ::close(number);
      return on_gap_(path, errno_error("open the directory", errno));
    }
    const auto names = names_in(directory.get());
    if (!names) return on_gap_(path, names.error());
    const std::string prefix = path == "/" ? path : path + "/";
    for (const std::string& name : *names) {
      if (failure_) return;
      entry(prefix + name, ::dirfd(directory.get()), name, device, depth);
    }
  }

  void entry(const std::string& path, int parent, const std::string& name, dev_t device,
             int depth) {
    if (!limits_.excluded.empty() && is_excluded(path)) return;
    if (is_untouched(path)) return;
    struct stat status;
    if (::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      // What vanished between the listing and now was not there.
      if (errno != ENOENT) on_gap_(path, errno_error("stat", errno));
      return;
    }
    add(path, status);
    if (!S_ISDIR(status.st_mode) || failure_) return;
    constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
    Fd fd(::openat(parent, name.c_str(), kFlags));
    if (!fd) return on_gap_(path, errno_error("open the directory", errno));
    if (status.st_dev != device && is_foreign_file_system(fd.get())) {
      return on_gap_(path, {Errc::unsupported, "is a remote or virtual file system"});
    }
    enter(path, std::move(fd), status.st_dev, depth + 1);
  }

  const Root& root_;
  const WalkLimits& limits_;
  const OnGap& on_gap_;
  std::vector<FileEntry> entries_;
  std::optional<Error> failure_;
};

}  // namespace

Result<std::vector<FileEntry>> walk(const Root& root, std::vector<std::string> paths,
                                    const WalkLimits& limits, const OnGap& on_gap) {
  for (std::string& path : paths) path = tidy_path(std::move(path));
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> outermost;
  for (std::string& path : paths) {
    const bool is_inside = std::any_of(outermost.begin(), outermost.end(),
                                       [&](const auto& other) { return is_below(path, other); });
    if (!is_inside) outermost.push_back(std::move(path));
  }
  return Walker(root, limits, on_gap).walk(outermost);
}

}  // namespace vouch::drift
