// SPDX-License-Identifier: Apache-2.0
#include "agent/watch/watch_stream.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>

#include "core/json.h"

namespace vouch::agent {
namespace {

constexpr std::chrono::seconds kRequestDeadline{10};
constexpr std::size_t kNameBytesMax = 128;
constexpr std::size_t kPathBytesMax = 16u << 10;  // PATH_MAX, each byte escaped.

json::Value to_json(std::string_view collector, std::string_view path) {
  return json::Object{{"collector", std::string(collector)}, {"path", std::string(path)}};
}

Result<WatchRoot> parse_place(const json::Value& value) {
  auto collector = json::get_string(value, "collector");
  if (!collector) return std::move(collector).error();
  auto path = json::get_string(value, "path");
  if (!path) return std::move(path).error();
  if (collector->empty() || collector->size() > kNameBytesMax || path->size() > kPathBytesMax ||
      !path->starts_with('/')) {
    return Error{Errc::invalid, "expected a collector and an absolute path"};
  }
  return WatchRoot{*std::move(collector), *std::move(path)};
}

// Blocks until there is a whole line, for so long at most.
Result<std::string> read_request(int stream) {
  const auto end = std::chrono::steady_clock::now() + kRequestDeadline;
  std::string line;
  std::array<char, 4096> buffer;
  while (line.size() <= kWatchRequestBytesMax) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    struct pollfd polled {
      stream, POLLIN, 0
    };
    if (left.count() <= 0 || poll(&polled, 1, static_cast<int>(left.count())) == 0) {
      return Error{Errc::timeout, "watch request: none came in time"};
    }
    const ssize_t got = ::read(stream, buffer.data(), buffer.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return errno_error("watch request", errno);
    if (got == 0) return Error{Errc::unavailable, "watch request: the stream ended"};
    line.append(buffer.data(), static_cast<std::size_t>(got));
    if (const auto lf = line.find('\n'); lf != std::string::npos) return line.substr(0, lf);
  }
  return Error{Errc::too_large, "watch request: too long"};
}

}  // namespace

std::string write_watch_request(const std::vector<WatchRoot>& roots) {
  json::Array array;
  for (const WatchRoot& root : roots) array.push_back(to_json(root.collector, root.path));
  return json::write(json::Object{{"watch", std::move(array)}});
}

Result<std::vector<WatchRoot>> parse_watch_request(std::string_view line) {
  auto value = json::parse(line);
  if (!value) return std::move(value).error().in("watch request");
  auto array = json::get_array(*value, "watch");
  if (!array) return std::move(array).error().in("watch request");
  if ((*array)->size() > kWatchRootsMax) {
    return Error{Errc::too_large, "watch request: too many paths"};
  }
  std::vector<WatchRoot> roots;
  for (const json::Value& item : **array) {
    auto root = parse_place(item);
    if (!root) return std::move(root).error().in("watch request");
    roots.push_back(*std::move(root));
  }
  return roots;
}

std::string write_watch_change(const WatchChange& change) {
  return json::write(json::Object{{"changed", to_json(change.collector, change.path)}});
}

Result<WatchChange> parse_watch_change(std::string_view line) {
  auto value = json::parse(line);
  if (!value) return std::move(value).error().in("watch stream");
  auto changed = json::get_object(*value, "changed");
  if (!changed) return std::move(changed).error().in("watch stream");
  auto place = parse_place(**changed);
  if (!place) return std::move(place).error().in("watch stream");
  return WatchChange{std::move(place->collector), std::move(place->path)};
}

Result<std::unique_ptr<WatchStream>> WatchStream::open(Fd stream,
                                                       const std::vector<WatchRoot>& roots) {
  auto sent = write_all(stream.get(), write_watch_request(roots) + "\n", "watch stream");
  if (!sent) return std::move(sent).error();
  const int flags = fcntl(stream.get(), F_GETFL);
  if (flags < 0 || fcntl(stream.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
    return errno_error("watch stream", errno);
  }
  return std::make_unique<WatchStream>(std::move(stream));
}

Result<std::vector<WatchChange>> WatchStream::read() {
  std::array<char, 64u << 10> buffer;
  const ssize_t got = ::read(stream_.get(), buffer.data(), buffer.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return std::vector<WatchChange>();
  if (got < 0) return errno_error("watch stream", errno);
  if (got == 0) return Error{Errc::unavailable, "watch stream: its holder has gone"};
  buffer_.append(buffer.data(), static_cast<std::size_t>(got));
  std::vector<WatchChange> changes;
  std::size_t begin = 0;
  for (;;) {
    const auto lf = buffer_.find('\n', begin);
    if (lf == std::string::npos) break;
    auto change = parse_watch_change(std::string_view(buffer_).substr(begin, lf - begin));
    if (!change) return std::move(change).error();
    changes.push_back(*std::move(change));
    begin = lf + 1;
  }
  buffer_.erase(0, begin);
  if (buffer_.size() > kWatchLineBytesMax) {
    return Error{Errc::too_large, "watch stream: a line is too long"};
  }
  return changes;
}

Status serve_watches(int stream) {
  auto line = read_request(stream);
  if (!line) return std::move(line).error();
  auto roots = parse_watch_request(*line);
  if (!roots) return std::move(roots).error();
  auto watcher = Watcher::make(*std::move(roots));
  if (!watcher) return std::move(watcher).error();
  for (;;) {
    std::array<struct pollfd, 2> polled{{{stream, POLLIN, 0}, {(*watcher)->fd(), POLLIN, 0}}};
    if (poll(polled.data(), polled.size(), -1) < 0 && errno != EINTR) {
      return errno_error("poll", errno);
    }
    if (polled[0].revents != 0) return Ok{};  // Nothing more is ever said: the end.
    if (polled[1].revents == 0) continue;
    auto changes = (*watcher)->read();
    if (!changes) return std::move(changes).error();
    std::string text;
    for (const WatchChange& change : *changes) text += write_watch_change(change) + "\n";
    // A reader that is slow keeps us from reading events: then they are lost, and that is told.
    if (auto told = write_all(stream, text, "watch stream"); !told) return told;
  }
}

}  // namespace vouch::agent
