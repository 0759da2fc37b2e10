// SPDX-License-Identifier: Apache-2.0
#include "collectors/special_files/tree_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <unordered_set>

namespace vouch::special_files {
namespace {

constexpr int kDepthMax = 200;  // Each level holds a descriptor.
constexpr std::size_t kEntriesPerLook = 4096;
constexpr unsigned kMask = STATX_TYPE | STATX_MODE | STATX_UID | STATX_GID | STATX_INO;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

// By magic number, for those that the mount table did not tell of.
bool is_foreign(int fd) {
  static constexpr std::array<long, 24> kForeign{
      PROC_SUPER_MAGIC,   SYSFS_MAGIC,     CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
      DEVPTS_SUPER_MAGIC, DEBUGFS_MAGIC,   TRACEFS_MAGIC,      SECURITYFS_MAGIC,
      SELINUX_MAGIC,      BPF_FS_MAGIC,    PSTOREFS_MAGIC,     EFIVARFS_MAGIC,
      BINFMTFS_MAGIC,     NSFS_MAGIC,      AUTOFS_SUPER_MAGIC, HUGETLBFS_MAGIC,
      NFS_SUPER_MAGIC,    SMB_SUPER_MAGIC, 0xFF534D42,         0xFE534D42,
      FUSE_SUPER_MAGIC,   AFS_SUPER_MAGIC, V9FS_MAGIC,         CODA_SUPER_MAGIC};
  constexpr long kCeph = 0x00c36400;
  struct statfs status;
  if (::fstatfs(fd, &status) != 0) return true;
  const auto type = static_cast<long>(status.f_type);
  return type == kCeph || std::find(kForeign.begin(), kForeign.end(), type) != kForeign.end();
}

struct Identity {
  std::uint64_t device;
  std::uint64_t inode;
  bool operator==(const Identity&) const = default;
};
struct IdentityHash {
  std::size_t operator()(const Identity& id) const {
    return static_cast<std::size_t>(id.inode * 0x9E3779B97F4A7C15u ^ id.device);
  }
};

std::uint64_t device_of(const struct statx& status) {
  return makedev(status.stx_dev_major, status.stx_dev_minor);
}

// The mount; 0 where the kernel does not tell (before 5.8): then the device has to do.
std::uint64_t mount_of(const struct statx& status) {
  return (status.stx_mask & STATX_MNT_ID) != 0 ? status.stx_mnt_id : 0;
}

bool look(int directory, const char* name, struct statx& status) {
  constexpr int kFlags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
  return ::statx(directory, name, kFlags, kMask | STATX_MNT_ID, &status) == 0;
}

class Walker {
 public:
  Walker(const Root& root, const TreeOptions& options, TreeVisitor& visitor)
      : root_(root), options_(options), visitor_(visitor) {
    for (const std::string& path : options.untouched) avoid(path);
    for (const std::string& path : options.excluded) avoid(path);
  }

  Result<std::size_t> walk() {
    std::set<std::string> waiting = {"/"};
    while (!waiting.empty() && !failure_) {
      const std::string path = *waiting.begin();
      waiting.erase(waiting.begin());
      enter_mount(path);
      waiting.merge(mounts_);
      mounts_.clear();
    }
    if (failure_) return *failure_;
    return entries_;
  }

 private:
  // Directories that hold something to pass over: most hold nothing, and one look-up says so.
  void avoid(const std::string& path) {
    if (path.size() < 2) return;
    const std::size_t slash = path.rfind('/');
    avoided_parents_.insert(path.substr(0, slash));
    avoided_.insert(path);
  }

  void enter_mount(const std::string& path) {
    auto fd = root_.open_directory(path);
    if (!fd) return visitor_.gap(path, fd.error());
    struct statx status;
    if (::statx(fd->get(), "", AT_EMPTY_PATH, kMask | STATX_MNT_ID, &status) != 0) {
      return visitor_.gap(path, errno_error("stat", errno));
    }
    if (path != "/" && is_foreign(fd->get())) return;
    path_ = path == "/" ? "" : path;
    mount_ = mount_of(status);
    device_ = device_of(status);
    if (!visited_.insert({device_, status.stx_ino}).second) return;
    visitor_.file({".", fd->get(), status.stx_mode, status.stx_uid, status.stx_gid, true},
                  [&] { return path; });
    list(*std::move(fd), 0);
  }

  void list(Fd fd, int depth) {
    if (depth > kDepthMax) return visitor_.gap(path_, {Errc::too_large, "is nested too deep"});
    const int number = fd.release();
    const Directory directory(::fdopendir(number));
    if (!directory) {
      ::close(number);
      return visitor_.gap(path_, errno_error("open the directory", errno));
    }
    const bool has_avoided = avoided_parents_.contains(path_);
    errno = 0;
    while (const dirent* entry = ::readdir(directory.get())) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (has_avoided && avoided_.contains(path_ + "/" + std::string(name))) continue;
      take(number, entry->d_name, depth);
      if (failure_) return;
      errno = 0;
    }
    if (errno != 0) visitor_.gap(path_, errno_error("read the directory", errno));
  }

  void take(int directory, const char* name, int depth) {
    if (++entries_ % kEntriesPerLook == 0 && visitor_.is_over()) {
      failure_ = Error{Errc::timeout, "the deadline passed while walking"};
    }
    if (entries_ > options_.entries_max) failure_ = Error{Errc::too_large, "too many files"};
    struct statx status;
    if (!look(directory, name, status)) {
      // What vanished between the listing and now was not there.
      if (errno != ENOENT) visitor_.gap(path_ + "/" + name, errno_error("stat", errno));
      return;
    }
    const bool is_directory = S_ISDIR(status.stx_mode);
    if (is_directory && is_mount(status)) {
      mounts_.insert(path_ + "/" + name);
      return;  // Its root is looked at from inside.
    }
    const bool is_zero = status.stx_rdev_major == 0 && status.stx_rdev_minor == 0;
    visitor_.file({name, directory, status.stx_mode, status.stx_uid, status.stx_gid, is_zero},
                  [&] { return path_ + "/" + name; });
    if (is_directory) descend(directory, name, status, depth);
  }

  bool is_mount(const struct statx& status) const {
    const std::uint64_t mount = mount_of(status);
    return mount != 0 ? mount != mount_ : device_of(status) != device_;
  }

  void descend(int directory, const char* name, const struct statx& status, int depth) {
    if (!visited_.insert({device_of(status), status.stx_ino}).second) return;
    constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
    Fd fd(::openat(directory, name, kFlags));
    if (!fd) {
      if (errno != ENOENT) visitor_.gap(path_ + "/" + name, errno_error("open", errno));
      return;
    }
    const std::size_t length = path_.size();
    path_.append("/").append(name);
    list(std::move(fd), depth + 1);
    path_.resize(length);
  }

  const Root& root_;
  const TreeOptions& options_;
  TreeVisitor& visitor_;
  std::unordered_set<std::string> avoided_parents_;
  std::unordered_set<std::string> avoided_;
  std::unordered_set<Identity, IdentityHash> visited_;
  std::set<std::string> mounts_;  // Found in the file system that is walked.
  std::string path_;              // Of the directory that is listed; "" of the root.
  std::uint64_t mount_ = 0;
  std::uint64_t device_ = 0;
  std::size_t entries_ = 0;
  std::optional<Error> failure_;
};

}  // namespace

Result<std::size_t> walk_tree(const Root& root, const TreeOptions& options, TreeVisitor& visitor) {
  return Walker(root, options, visitor).walk();
}

}  // namespace vouch::special_files
