// SPDX-License-Identifier: Apache-2.0
// Changes of watched paths over a stream, for a holder of the watches that is another process than
// the daemon (docs/formats/watch-stream.md). Lines of JSON; the daemon speaks once, then listens:
//
//   > {"watch":[{"collector":"config_drift","path":"/etc/ssh"}]}
//   < {"changed":{"collector":"config_drift","path":"/etc/ssh/sshd_config"}}
//
// Paths are in the form of a `bytes` cell. The holder's end of the stream means that the watches
// are lost; the daemon's end, that nobody wants them any more.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/watch/watcher.h"

namespace vouch::agent {

// In the directory of vouch-collect's sockets, whose names end in ".sock".
inline constexpr std::string_view kWatchSocket = "watch.stream";
inline constexpr std::size_t kWatchLineBytesMax = 64u << 10;
inline constexpr std::size_t kWatchRequestBytesMax = 1u << 20;
inline constexpr std::size_t kWatchRootsMax = 4096;

// The daemon's side: a source of changes that reads a descriptor.
class WatchStream final : public WatchSource {
 public:
  // Sends the request. `stream` is a connected socket or one that can be read and written.
  static Result<std::unique_ptr<WatchStream>> open(Fd stream, const std::vector<WatchRoot>& roots);
  explicit WatchStream(Fd stream) : stream_(std::move(stream)) {}  // Use open().

  [[nodiscard]] int fd() const override { return stream_.get(); }
  Result<std::vector<WatchChange>> read() override;

 private:
  Fd stream_;
  std::string buffer_;
};

// The holder's side: takes the request from `stream`, watches, and tells, until the other end
// closes. Errc::invalid: no request of this form; timeout: none within 10 s.
Status serve_watches(int stream);

std::string write_watch_request(const std::vector<WatchRoot>& roots);
Result<std::vector<WatchRoot>> parse_watch_request(std::string_view line);
std::string write_watch_change(const WatchChange& change);
Result<WatchChange> parse_watch_change(std::string_view line);

}  // namespace vouch::agent
