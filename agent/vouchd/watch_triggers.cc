// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/watch_triggers.h"

#include <algorithm>

namespace vouch::agent {
namespace {

constexpr std::int64_t kPatience = 10;  // In debounce times.

}  // namespace

void WatchTriggers::note(const std::vector<WatchChange>& changes, std::int64_t now_us) {
  for (const WatchChange& change : changes) {
    const auto [waiting, is_new] =
        waiting_.emplace(change.collector, Waiting{change.path, now_us, now_us});
    if (!is_new) waiting->second.last_us = now_us;
  }
}

std::int64_t WatchTriggers::due_us(const std::string& collector, const Waiting& waiting) const {
  const std::int64_t settled =
      std::min(waiting.last_us + debounce_us_, waiting.first_us + kPatience * debounce_us_);
  const auto before = triggered_us_.find(collector);
  return before == triggered_us_.end() ? settled : std::max(settled, before->second + gap_us_);
}

std::vector<WatchChange> WatchTriggers::take_due(std::int64_t now_us) {
  std::vector<WatchChange> due;
  for (auto each = waiting_.begin(); each != waiting_.end();) {
    if (due_us(each->first, each->second) > now_us) {
      ++each;
      continue;
    }
    due.push_back({each->first, each->second.path});
    triggered_us_[each->first] = now_us;
    each = waiting_.erase(each);
  }
  return due;
}

std::optional<std::int64_t> WatchTriggers::next_us() const {
  std::optional<std::int64_t> next;
  for (const auto& [collector, waiting] : waiting_) {
    const std::int64_t due = due_us(collector, waiting);
    if (!next || due < *next) next = due;
  }
  return next;
}

}  // namespace vouch::agent
