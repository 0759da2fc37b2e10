// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/watch_desk.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <limits>

#include "agent/watch/watch_stream.h"
#include "core/log.h"
#include "core/unix_socket.h"

namespace vouch::agent {
namespace {

constexpr std::int64_t kRetryUs = 30'000'000;
constexpr std::int64_t kTimeoutMsMax = 60'000;
constexpr struct timeval kPatience { 2, 0 };

std::vector<WatchRoot> roots_of(const Config& config) {
  std::vector<WatchRoot> roots;
  for (const CollectorConfig& collector : config.collectors) {
    for (const std::string& path : collector.watch) roots.push_back({collector.name, path});
  }
  return roots;
}

bool is_watched(const std::vector<WatchRoot>& roots, const std::string& collector) {
  return std::any_of(roots.begin(), roots.end(),
                     [&](const WatchRoot& root) { return root.collector == collector; });
}

}  // namespace

Result<std::unique_ptr<WatchSource>> open_watcher(const std::vector<WatchRoot>& roots) {
  auto watcher = Watcher::make(roots);
  if (!watcher) return std::move(watcher).error();
  return std::unique_ptr<WatchSource>(*std::move(watcher));
}

OpenWatchSource open_watch_stream(const std::string& collect_sockets) {
  const std::string path = collect_sockets + "/" + std::string(kWatchSocket);
  return [path](const std::vector<WatchRoot>& roots) -> Result<std::unique_ptr<WatchSource>> {
    auto connection = connect_unix(path, SOCK_STREAM);
    if (!connection) {
      Error error = std::move(connection).error();
      error.message += " (systemctl enable --now vouch-watch.socket)";
      return error;
    }
    // systemd may have to start the other end, and the thread that asks has more to do.
    ::setsockopt(connection->get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
    auto stream = WatchStream::open(*std::move(connection), roots);
    if (!stream) return std::move(stream).error();
    return std::unique_ptr<WatchSource>(*std::move(stream));
  };
}

void WatchDesk::adopt(const Config& config, std::int64_t now_us) {
  const auto waiting = triggers_.take_due(std::numeric_limits<std::int64_t>::max());
  triggers_ = WatchTriggers(config.watch_debounce_ms, config.watch_gap_s * 1000);
  roots_ = roots_of(config);
  for (const WatchChange& change : waiting) {
    if (is_watched(roots_, change.collector)) triggers_.note({change}, now_us);
  }
  open(now_us);
}

void WatchDesk::open(std::int64_t now_us) {
  source_.reset();
  retry_us_.reset();
  if (roots_.empty()) return;
  auto source = open_(roots_);
  if (source) {
    source_ = *std::move(source);
    return;
  }
  log::error("watch: " + source.error().message + "; tried again in 30 s");
  retry_us_ = now_us + kRetryUs;
}

int WatchDesk::timeout_ms(std::int64_t now_us) const {
  std::optional<std::int64_t> next = triggers_.next_us();
  if (retry_us_ && (!next || *retry_us_ < *next)) next = retry_us_;
  if (!next) return -1;
  return static_cast<int>(
      std::clamp<std::int64_t>((*next - now_us + 999) / 1000, 0, kTimeoutMsMax));
}

std::vector<WatchChange> WatchDesk::look(bool readable, std::int64_t now_us) {
  if (readable && source_) {
    auto changes = source_->read();
    if (changes) {
      std::erase_if(*changes, [&](const WatchChange& change) {
        return !is_watched(roots_, change.collector);
      });
      triggers_.note(*changes, now_us);
    } else {
      log::error("watch: " + changes.error().message + "; tried again in 30 s");
      source_.reset();
      retry_us_ = now_us + kRetryUs;
    }
  }
  if (retry_us_ && *retry_us_ <= now_us) {
    open(now_us);
    // Nobody watched meanwhile: all of it may have changed.
    if (source_) {
      for (const WatchRoot& root : roots_) {
        triggers_.note({{root.collector, root.path}}, now_us);
      }
    }
  }
  return triggers_.take_due(now_us);
}

}  // namespace vouch::agent
