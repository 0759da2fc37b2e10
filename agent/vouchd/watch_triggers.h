// SPDX-License-Identifier: Apache-2.0
// When a change becomes a run: not before things are quiet for the debounce time (a package that is
// installed is one run, not hundreds), not later than ten times that, and not sooner than the gap
// after the run before (a busy path cannot cause a storm). Nothing is dropped: what has to wait,
// waits, as one run. A pure function of its calls and the times given to them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/watch/watcher.h"

namespace vouch::agent {

class WatchTriggers {
 public:
  WatchTriggers(std::int64_t debounce_ms, std::int64_t gap_ms)
      : debounce_us_(debounce_ms * 1000), gap_us_(gap_ms * 1000) {}

  void note(const std::vector<WatchChange>& changes, std::int64_t now_us);
  // The collectors that should run now, each with the path that changed first.
  std::vector<WatchChange> take_due(std::int64_t now_us);
  // When take_due() next has one.
  [[nodiscard]] std::optional<std::int64_t> next_us() const;

 private:
  struct Waiting {
    std::string path;
    std::int64_t first_us = 0;
    std::int64_t last_us = 0;
  };
  [[nodiscard]] std::int64_t due_us(const std::string& collector, const Waiting& waiting) const;

  std::int64_t debounce_us_;
  std::int64_t gap_us_;
  std::map<std::string, Waiting> waiting_;
  std::map<std::string, std::int64_t> triggered_us_;
};

}  // namespace vouch::agent
