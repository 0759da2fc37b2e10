// SPDX-License-Identifier: Apache-2.0
// Notices at once that a watched path changed: inotify on files, directories and all below them.
// What changed is only a hint that a run is worth it; the run finds out what there is.
//
// On a systemd host another process holds the watches, since it may read what the daemon may not,
// and the daemon has the other end of a stream (watch_stream.h): hence the seam.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/file.h"
#include "core/result.h"

namespace vouch::agent {

// A path that a collector wants to know of: absolute, normal. It need not exist yet.
struct WatchRoot {
  std::string collector;
  std::string path;

  bool operator==(const WatchRoot&) const = default;
};

// Something at or below a root changed. `path` is as a record names it, in the form of a `bytes`
// cell. Where events were lost it is the root: anything may have changed.
struct WatchChange {
  std::string collector;
  std::string path;

  bool operator==(const WatchChange&) const = default;
};

class WatchSource {
 public:
  virtual ~WatchSource() = default;
  // Readable when read() has something to say. May be another one after each read().
  [[nodiscard]] virtual int fd() const = 0;
  // What changed since, the first path of each collector. Never blocks. Errc::unavailable: nothing
  // will ever come any more.
  virtual Result<std::vector<WatchChange>> read() = 0;
};

struct WatchLimits {
  std::size_t watches = 8192;     // Directories; the kernel keeps 1 KiB for each.
  std::int64_t rest_ms = 10'000;  // After lost events, before all watches are made anew.
};

class Watcher final : public WatchSource {
 public:
  // Watches what there is. A path that cannot be watched (not permitted, too many) is a warning in
  // the log: what changes there is seen at the next tick.
  static Result<std::unique_ptr<Watcher>> make(std::vector<WatchRoot> roots,
                                               WatchLimits limits = {});
  Watcher(std::vector<WatchRoot> roots, WatchLimits limits);  // Use make().

  [[nodiscard]] int fd() const override { return fd_.get(); }
  Result<std::vector<WatchChange>> read() override;

 private:
  struct Changes;
  Status arm();
  Status rest();
  Result<std::vector<WatchChange>> everything();
  void watch_root(const WatchRoot& root, int tries = 0);
  void watch_tree(const std::string& directory, int depth);
  bool watch(const std::string& path, std::uint32_t mask);
  void forget(const std::string& path);
  void on_event(int watch, std::uint32_t mask, std::string_view name, Changes& changes);

  std::vector<WatchRoot> configured_;
  WatchLimits limits_;
  std::vector<WatchRoot> roots_;  // And what those that are symbolic links lead to.
  std::unordered_map<int, std::string> paths_;
  Fd fd_;  // inotify; after an overflow, for a while, a timer.
  bool resting_ = false;
  std::int64_t armed_ms_ = 0;
  bool warned_ = false;
};

}  // namespace vouch::agent
