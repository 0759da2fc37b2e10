// SPDX-License-Identifier: Apache-2.0
#include "agent/watch/watcher.h"

#include <dirent.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>
#include <map>

#include "core/escape.h"
#include "core/log.h"

namespace vouch::agent {
namespace {

constexpr int kDepthMax = 64;
constexpr int kReadsMax = 16;  // Of one read(): a busy path must not keep the caller.

constexpr std::uint32_t kComesAndGoes =
    IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF;
constexpr std::uint32_t kAnything = kComesAndGoes | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB;

std::int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

bool is_below(std::string_view path, std::string_view directory) {
  return path.size() > directory.size() && path.starts_with(directory) &&
         (directory == "/" || path[directory.size()] == '/');
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string join(const std::string& directory, std::string_view name) {
  if (name.empty()) return directory;
  return (directory == "/" ? "" : directory) + "/" + std::string(name);
}

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

}  // namespace

// The first path of each collector.
struct Watcher::Changes {
  std::map<std::string, std::string> paths;
  bool overflow = false;

  void add(const std::string& collector, const std::string& path) {
    paths.emplace(collector, path);
  }
};

Watcher::Watcher(std::vector<WatchRoot> roots, WatchLimits limits)
    : configured_(std::move(roots)), limits_(limits) {}

Result<std::unique_ptr<Watcher>> Watcher::make(std::vector<WatchRoot> roots, WatchLimits limits) {
  auto watcher = std::make_unique<Watcher>(std::move(roots), limits);
  if (auto armed = watcher->arm(); !armed) return std::move(armed).error();
  return watcher;
}

Status Watcher::arm() {
  fd_ = Fd(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!fd_) return errno_error("inotify", errno);
  resting_ = false;
  armed_ms_ = steady_ms();
  paths_.clear();
  roots_ = configured_;
  for (const WatchRoot& root : configured_) watch_root(root);
  return Ok{};
}

// Too much happens to be told: no events for a while, then all watches anew and a full run. What
// changes meanwhile is seen by that run.
Status Watcher::rest() {
  Fd timer(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer) return errno_error("timerfd", errno);
  struct itimerspec when {};
  when.it_value.tv_sec = limits_.rest_ms / 1000;
  when.it_value.tv_nsec = limits_.rest_ms % 1000 * 1'000'000;
  if (timerfd_settime(timer.get(), 0, &when, nullptr) != 0) return errno_error("timerfd", errno);
  fd_ = std::move(timer);
  resting_ = true;
  return Ok{};
}

Result<std::vector<WatchChange>> Watcher::everything() {
  if (auto armed = arm(); !armed) return std::move(armed).error();
  std::vector<WatchChange> changes;
  for (const WatchRoot& root : configured_) {
    const bool known = !changes.empty() && changes.back().collector == root.collector;
    if (!known) changes.push_back({root.collector, escape_bytes(root.path)});
  }
  return changes;
}

void Watcher::watch_root(const WatchRoot& root, int tries) {
  struct stat status {};
  const bool exists = lstat(root.path.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) {
    watch_tree(root.path, 0);
    watch(parent_of(root.path), kComesAndGoes | IN_ONLYDIR);
    return;
  }
  // A file is watched by its name in its directory: editors replace it by another one. So is what
  // does not exist yet, in the nearest directory that does.
  std::string parent = parent_of(root.path);
  while (parent != "/" && lstat(parent.c_str(), &status) != 0) parent = parent_of(parent);
  watch(parent, kAnything | IN_ONLYDIR);
  // What came while we looked had no watch yet.
  const std::string next = root.path.substr(0, root.path.find('/', parent.size() + 1));
  const bool came = next != root.path && lstat(next.c_str(), &status) == 0;
  const bool exists_now = lstat(root.path.c_str(), &status) == 0;
  if ((came || exists_now != exists) && tries < kDepthMax) return watch_root(root, tries + 1);
  if (!exists_now || !S_ISLNK(status.st_mode)) return;
  std::array<char, PATH_MAX> real;
  if (realpath(root.path.c_str(), real.data()) == nullptr) return;
  const WatchRoot target{root.collector, real.data()};
  for (const WatchRoot& known : roots_) {
    if (known == target) return;
  }
  roots_.push_back(target);
  watch_root(target, tries + 1);  // No link any more: once.
}

void Watcher::watch_tree(const std::string& directory, int depth) {
  if (!watch(directory, kAnything | IN_ONLYDIR | IN_DONT_FOLLOW)) return;
  const std::unique_ptr<DIR, CloseDirectory> stream(opendir(directory.c_str()));
  if (stream == nullptr || depth == kDepthMax) return;
  while (const struct dirent* entry = readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    const std::string path = join(directory, name);
    struct stat status {};
    const bool is_directory =
        entry->d_type == DT_DIR || (entry->d_type == DT_UNKNOWN &&
                                    lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode));
    if (is_directory) watch_tree(path, depth + 1);
  }
}

bool Watcher::watch(const std::string& path, std::uint32_t mask) {
  if (paths_.size() >= limits_.watches) {
    if (!warned_) log::warn("watch: more directories than " + std::to_string(limits_.watches));
    warned_ = true;
    return false;
  }
  const int wd = inotify_add_watch(fd_.get(), path.c_str(), mask | IN_EXCL_UNLINK | IN_MASK_ADD);
  if (wd < 0) {
    const int reason = errno;
    if (reason == ENOENT || reason == ENOTDIR) return false;  // Gone meanwhile.
    if (!warned_) {
      log::warn("watch " + path + ": " + std::strerror(reason) +
                (reason == ENOSPC ? "; raise fs.inotify.max_user_watches" : ""));
    }
    warned_ = true;
    return false;
  }
  paths_[wd] = path;
  return true;
}

void Watcher::forget(const std::string& path) {
  for (auto each = paths_.begin(); each != paths_.end();) {
    if (each->second != path && !is_below(each->second, path)) {
      ++each;
      continue;
    }
    inotify_rm_watch(fd_.get(), each->first);  // Fails if the directory is gone: fine.
    each = paths_.erase(each);
  }
}

void Watcher::on_event(int wd, std::uint32_t mask, std::string_view name, Changes& changes) {
  if ((mask & (IN_Q_OVERFLOW | IN_UNMOUNT)) != 0) changes.overflow = true;
  const auto found = paths_.find(wd);
  if (found == paths_.end()) return;
  if ((mask & IN_IGNORED) != 0) {
    paths_.erase(found);
    return;
  }
  const std::string path = join(found->second, name);
  const bool moves = (mask & kComesAndGoes) != 0;
  const bool is_directory = (mask & IN_ISDIR) != 0 || name.empty();
  const bool goes = (mask & (IN_MOVED_FROM | IN_MOVE_SELF | IN_DELETE_SELF)) != 0;
  if (goes && is_directory) forget(path);
  bool inside = false;
  std::vector<WatchRoot> again;
  for (const WatchRoot& root : roots_) {
    const bool above = is_below(root.path, path);  // One of its directories came or went.
    if (root.path == path || is_below(path, root.path)) {
      inside = true;
    } else if (!above || !moves) {
      continue;
    }
    changes.add(root.collector, above ? root.path : path);
    if (moves && (above || root.path == path)) again.push_back(root);
  }
  for (const WatchRoot& root : again) watch_root(root);
  const bool comes = (mask & (IN_CREATE | IN_MOVED_TO)) != 0;
  if (inside && comes && is_directory) watch_tree(path, 0);
}

Result<std::vector<WatchChange>> Watcher::read() {
  if (resting_) {
    std::uint64_t expired = 0;
    if (::read(fd_.get(), &expired, sizeof expired) < 0) return std::vector<WatchChange>();
    return everything();
  }
  alignas(struct inotify_event) std::array<char, 64u << 10> buffer;
  Changes changes;
  for (int reads = 0; reads < kReadsMax && !changes.overflow; ++reads) {
    const ssize_t got = ::read(fd_.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno != EAGAIN) return errno_error("inotify", errno);
    if (got <= 0) break;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      struct inotify_event event {};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* const name = buffer.data() + at + sizeof event;
      const std::size_t length = strnlen(name, event.len);
      on_event(event.wd, event.mask, {name, length}, changes);
      at += sizeof event + event.len;
    }
  }
  if (changes.overflow) {
    log::warn("watch: events were lost; everything is looked at");
    if (steady_ms() - armed_ms_ >= limits_.rest_ms) return everything();
    if (auto rested = rest(); !rested) return std::move(rested).error();
    return std::vector<WatchChange>();
  }
  std::vector<WatchChange> result;
  for (const auto& [collector, path] : changes.paths)
    result.push_back({collector, escape_bytes(path)});
  return result;
}

}  // namespace vouch::agent
