// SPDX-License-Identifier: Apache-2.0
#include "store/disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/file.h"
#include "store/layout.h"

namespace vouch::store {
namespace {

constexpr std::size_t kTemporaryFilesMax = 1u << 20;
constexpr mode_t kFileMode = 0640;
constexpr mode_t kDirectoryMode = 0750;

}  // namespace

Result<std::unique_ptr<DirectoryDisk>> DirectoryDisk::open(std::string root, StepHook hook) {
  const std::string temporary = root + "/" + std::string(layout::kTemporary);
  auto made = make_directories(temporary, kDirectoryMode);
  if (!made) return std::move(made).error();
  auto left_over = list_directory(temporary, kTemporaryFilesMax);
  if (!left_over) return std::move(left_over).error();
  for (const auto& name : *left_over) {
    auto removed = remove_file(temporary + "/" + name);
    if (!removed) return std::move(removed).error();
  }
  return std::make_unique<DirectoryDisk>(std::move(root), std::move(hook));
}

void DirectoryDisk::step(std::string_view what, std::string_view name) {
  if (hook_) hook_(std::string(what) + " " + std::string(name));
}

// A new directory is only as durable as its entry in the one above it.
Status DirectoryDisk::make_parents(const std::string& name) {
  const std::lock_guard lock(mutex_);
  for (auto slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1)) {
    const std::string part = name.substr(0, slash);
    if (made_.count(part) != 0) continue;
    const std::string path = root_ + "/" + part;
    if (::mkdir(path.c_str(), kDirectoryMode) == 0) {
      auto synced = sync_directory(path.substr(0, path.rfind('/')));
      if (!synced) return synced;
    } else if (errno != EEXIST) {
      return errno_error("mkdir " + path, errno);
    }
    made_.insert(part);
  }
  return Ok{};
}

// The whole of `file` under a temporary name, not yet synced.
Result<DirectoryDisk::Temporary> DirectoryDisk::write_temporary(const File& file) {
  auto made = make_parents(file.name);
  if (!made) return std::move(made).error();
  std::string path = root_ + "/" + std::string(layout::kTemporary) + "/.tmp-XXXXXX";
  Fd fd(::mkostemp(path.data(), O_CLOEXEC));
  if (!fd) return errno_error("create " + path, errno);
  auto written = write_all(fd.get(), file.bytes, path);
  if (written && ::fchmod(fd.get(), kFileMode) != 0) written = errno_error("chmod " + path, errno);
  if (!written) {
    ::unlink(path.c_str());
    return std::move(written).error();
  }
  return Temporary{std::move(fd), std::move(path), root_ + "/" + file.name};
}

// The first fsync makes the file system commit what all of them need, so that the others cost
// little: write all, sync all, rename all, sync the directories.
Status DirectoryDisk::put(const std::vector<File>& files) {
  std::vector<Temporary> temporaries;
  const auto place = [&]() -> Status {
    for (const auto& file : files) {
      step("write", file.name);
      auto temporary = write_temporary(file);
      if (!temporary) return std::move(temporary).error();
      temporaries.push_back(*std::move(temporary));
    }
    for (const auto& temporary : temporaries) {
      if (::fsync(temporary.fd.get()) != 0) return errno_error("fsync " + temporary.path, errno);
    }
    std::set<std::string> directories;
    for (const auto& [fd, path, target] : temporaries) {
      step("rename", target);
      if (::rename(path.c_str(), target.c_str()) != 0)
        return errno_error("rename to " + target, errno);
      directories.insert(target.substr(0, target.rfind('/')));
    }
    for (const auto& directory : directories) {
      auto synced = sync_directory(directory);
      if (!synced) return synced;
    }
    return Ok{};
  };
  auto placed = place();
  if (!placed) {
    for (const auto& temporary : temporaries) ::unlink(temporary.path.c_str());
  }
  return placed;
}

Status DirectoryDisk::put_unsynced(const File& file) {
  step("put unsynced", file.name);
  auto temporary = write_temporary(file);
  if (!temporary) return std::move(temporary).error();
  if (::rename(temporary->path.c_str(), temporary->target.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary->path.c_str());
    return errno_error("rename to " + temporary->target, error);
  }
  return Ok{};
}

Status DirectoryDisk::sync() {
  step("sync", "");
  // One flush of the file system costs less than an fsync of each of thousands of small files.
  const Fd fd(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return errno_error("open " + root_, errno);
  if (::syncfs(fd.get()) != 0) return errno_error("syncfs " + root_, errno);
  return Ok{};
}

Result<std::string> DirectoryDisk::get(const std::string& name, std::size_t bytes_max) {
  return read_file(root_ + "/" + name, bytes_max);
}

Result<bool> DirectoryDisk::has(const std::string& name) {
  const std::string path = root_ + "/" + name;
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return errno_error("stat " + path, errno);
  }
  return S_ISREG(status.st_mode) && status.st_size > 0;
}

}  // namespace vouch::store
