// SPDX-License-Identifier: Apache-2.0
#include "core/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>

namespace vouch {
namespace {

// The first read of a file of unknown size (/proc); each next one is twice as large, up to the
// most.
constexpr std::size_t kFirstReadBytes = 4u << 10;
constexpr std::size_t kReadBytesMax = 64u << 10;

struct FreeDelete {
  void operator()(char* text) const { std::free(text); }
};
struct DirClose {
  void operator()(DIR* dir) const { closedir(dir); }
};

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// The owner and mode rules of require_trusted_path for one component.
Status require_trusted_component(const std::string& path, uid_t trusted_uid, bool is_leaf) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return errno_error("stat " + path, errno);
  if (info.st_uid != 0 && info.st_uid != trusted_uid) {
    return Error{Errc::denied, path + ": owned by uid " + std::to_string(info.st_uid) +
                                   ", who could change it; make root its owner (chown root)"};
  }
  const bool sticky_parent = !is_leaf && S_ISDIR(info.st_mode) && (info.st_mode & S_ISVTX) != 0;
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0 && !sticky_parent) {
    return Error{Errc::denied, path + ": writable by group or others; take that away (chmod go-w)"};
  }
  return Ok{};
}

}  // namespace

void Fd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<std::string> read_all(int fd, std::size_t bytes_max, std::string_view name) {
  std::string bytes;
  struct stat info {};
  const bool is_sized = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0;
  std::size_t chunk = kFirstReadBytes;
  // All at once, and a byte more: that it is not there says that this is the end.
  if (is_sized) chunk = std::min(bytes_max, static_cast<std::size_t>(info.st_size)) + 1;
  for (;;) {
    const std::size_t have = bytes.size();
    // One byte more than the bound tells "exactly at it" from "over it".
    const std::size_t want = std::min(chunk, bytes_max - have + 1);
    chunk = std::min(std::max(chunk, have), kReadBytesMax);
    bytes.resize(have + want);
    const ssize_t got = ::read(fd, bytes.data() + have, want);
    if (got < 0) {
      bytes.resize(have);
      if (errno == EINTR) continue;
      return errno_error("read " + std::string(name), errno);
    }
    bytes.resize(have + static_cast<std::size_t>(got));
    if (got == 0) return bytes;
    if (bytes.size() > bytes_max) {
      return Error{Errc::too_large,
                   std::string(name) + ": larger than " + std::to_string(bytes_max) + " bytes"};
    }
    const bool is_whole = is_sized && bytes.size() == static_cast<std::size_t>(info.st_size);
    if (is_whole && static_cast<std::size_t>(got) < want) return bytes;
  }
}

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  // O_NONBLOCK so that a FIFO cannot hold us; O_NOCTTY so that a terminal cannot become ours.
  const Fd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd) return errno_error("open " + path, errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return errno_error("stat " + path, errno);
  if (!S_ISREG(info.st_mode)) return Error{Errc::invalid, path + ": not a regular file"};
  return read_all(fd.get(), bytes_max, path);
}

Result<Fd> memory_file(std::string_view bytes) {
  Fd file(memfd_create("memory", MFD_CLOEXEC));
  if (!file) return errno_error("memfd_create", errno);
  if (auto written = write_all(file.get(), bytes, "a file in memory"); !written) {
    return std::move(written).error();
  }
  if (lseek(file.get(), 0, SEEK_SET) != 0) return errno_error("rewind a file in memory", errno);
  return file;
}

Status write_all(int fd, std::string_view bytes, std::string_view name) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno_error("write " + std::string(name), errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return Ok{};
}

Status write_file_durable(const std::string& path, std::string_view bytes, mode_t mode) {
  return write_file_durable_via(parent_of(path), path, bytes, mode);
}

Status write_file_durable_via(const std::string& tmp_dir, const std::string& path,
                              std::string_view bytes, mode_t mode) {
  std::string temporary = tmp_dir + "/.tmp-XXXXXX";
  const Fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return errno_error("create " + temporary, errno);
  const auto write_and_rename = [&]() -> Status {
    auto written = write_all(fd.get(), bytes, temporary);
    if (!written) return written;
    if (::fchmod(fd.get(), mode) != 0) return errno_error("chmod " + temporary, errno);
    if (::fsync(fd.get()) != 0) return errno_error("fsync " + temporary, errno);
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
      return errno_error("rename " + temporary + " to " + path, errno);
    }
    return Ok{};
  };
  auto done = write_and_rename();
  if (!done) {
    ::unlink(temporary.c_str());
    return done;
  }
  return sync_directory(parent_of(path));
}

Status sync_directory(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return errno_error("open " + path, errno);
  if (::fsync(fd.get()) != 0) return errno_error("fsync " + path, errno);
  return Ok{};
}

Status rename_durable(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    return errno_error("rename " + from + " to " + to, errno);
  }
  const std::string target = parent_of(to);
  const std::string source = parent_of(from);
  auto synced = sync_directory(target);
  if (!synced || source == target) return synced;
  return sync_directory(source);
}

Status remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return errno_error("unlink " + path, errno);
  return Ok{};
}

Status make_directories(const std::string& path, mode_t mode) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (!part.empty() && ::mkdir(part.c_str(), mode) != 0) {
      const int error = errno;
      struct stat info {};
      // EROFS, EACCES and EEXIST all come for a directory that is there already.
      if (::stat(part.c_str(), &info) != 0) return errno_error("mkdir " + part, error);
      if (!S_ISDIR(info.st_mode)) return errno_error("mkdir " + part, ENOTDIR);
    }
    if (end == std::string::npos) return Ok{};
  }
}

Result<std::vector<std::string>> list_directory(const std::string& path, std::size_t entries_max) {
  const std::unique_ptr<DIR, DirClose> dir(::opendir(path.c_str()));
  if (!dir) return errno_error("open " + path, errno);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(dir.get());
    if (entry == nullptr) {
      if (errno != 0) return errno_error("read " + path, errno);
      break;
    }
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (names.size() == entries_max) {
      return Error{Errc::too_large,
                   path + ": more than " + std::to_string(entries_max) + " entries"};
    }
    names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool file_exists(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0;
}

Status require_trusted_path(const std::string& path, uid_t trusted_uid) {
  // A symbolic link is only as good as what it points to, so what is checked is the real path; the
  // directory that holds the link is checked too, since whoever may write there can swap it.
  const std::unique_ptr<char, FreeDelete> real(::realpath(path.c_str(), nullptr));
  if (!real) return errno_error("resolve " + path, errno);
  const std::unique_ptr<char, FreeDelete> link_dir(::realpath(parent_of(path).c_str(), nullptr));
  if (!link_dir) return errno_error("resolve " + parent_of(path), errno);

  for (const std::string& start : {std::string(real.get()), std::string(link_dir.get())}) {
    std::string part = start;
    for (bool is_leaf = part == real.get();; is_leaf = false) {
      auto trusted = require_trusted_component(part, trusted_uid, is_leaf);
      if (!trusted) return trusted;
      if (part == "/") break;
      part = parent_of(part);
    }
  }
  return Ok{};
}

}  // namespace vouch
