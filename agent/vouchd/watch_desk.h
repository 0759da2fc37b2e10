// SPDX-License-Identifier: Apache-2.0
// The daemon's side of `watch`: changes come in from a source, triggers go out to the agent. Used
// by the thread that waits; times are of the monotonic clock, in microseconds.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/vouchd/config.h"
#include "agent/vouchd/watch_triggers.h"
#include "agent/watch/watcher.h"

namespace vouch::agent {

using OpenWatchSource =
    std::function<Result<std::unique_ptr<WatchSource>>(const std::vector<WatchRoot>& roots)>;

// Watches that this process holds itself.
Result<std::unique_ptr<WatchSource>> open_watcher(const std::vector<WatchRoot>& roots);
// Watches that vouch-watch holds, whose socket is in the directory of vouch-collect's.
OpenWatchSource open_watch_stream(const std::string& collect_sockets);

class WatchDesk {
 public:
  explicit WatchDesk(OpenWatchSource open) : open_(std::move(open)) {}

  // Watches what a configuration says from now on. What changed before and still waits is kept.
  void adopt(const Config& config, std::int64_t now_us);
  // To be polled; -1: nothing.
  [[nodiscard]] int fd() const { return source_ ? source_->fd() : -1; }
  // How long there is nothing to do, unless fd() is readable. -1: for ever.
  [[nodiscard]] int timeout_ms(std::int64_t now_us) const;
  // The runs that are due, with their causes. A source that fails is opened again after a while,
  // and everything it watches is looked at then.
  std::vector<WatchChange> look(bool readable, std::int64_t now_us);
  // A run that could not be asked for now: it comes again.
  void put_back(const WatchChange& due, std::int64_t now_us) { triggers_.note({due}, now_us); }

 private:
  void open(std::int64_t now_us);

  OpenWatchSource open_;
  std::vector<WatchRoot> roots_;
  std::unique_ptr<WatchSource> source_;
  WatchTriggers triggers_{0, 0};
  std::optional<std::int64_t> retry_us_;
};

}  // namespace vouch::agent
