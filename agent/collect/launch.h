// SPDX-License-Identifier: Apache-2.0
// How vouchd has a collector started by vouch-collect, which may read what the daemon may not
// (docs/formats/launch.md). One connection (SOCK_SEQPACKET) is one start, three messages, each a
// JCS object:
//
//   < {"v":1,"cache_root":"/var/cache/vouch-collect/users","capabilities":"0000000000000004"}
//   > {"v":1,"program":"/usr/libexec/vouch/collectors/users","file":"2049:131:90112:17…:17…",
//      "mode":"run","deadline_ms":30000}     with two descriptors: its standard input and output
//   < {"v":1,"how":"exited","code":0,"cpu_ms":12,"wall_ms":15,"max_rss_kib":4100}
//     or {"v":1,"error":"denied","message":"…"}: it was not started
//
// Closing the connection ends the collector. Both ends check everything: neither trusts the other.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "core/file.h"
#include "core/process.h"
#include "core/result.h"

namespace vouch::agent {

inline constexpr std::size_t kLaunchMessageBytesMax = 16u << 10;
inline constexpr std::int64_t kLaunchDeadlineMsMax = 3'600'000;

struct LaunchHello {
  std::string cache_root;  // Absolute; empty: no cache directory is offered.
  std::uint64_t capabilities = 0;
  bool operator==(const LaunchHello&) const = default;
};

struct LaunchRequest {
  enum class Mode { run, describe };
  std::string program;  // Absolute.
  std::string file;     // FileMark of the file whose digest goes on record: no other is started.
  Mode mode = Mode::run;
  std::int64_t deadline_ms = 0;
  bool operator==(const LaunchRequest&) const = default;
};

// How the collector ended (core/process.h, without what it printed), or why it was not started.
using LaunchReply = std::variant<Exit, Error>;

std::string write_hello(const LaunchHello& hello);
Result<LaunchHello> parse_hello(std::string_view text);
std::string write_launch(const LaunchRequest& request);
Result<LaunchRequest> parse_launch(std::string_view text);
std::string write_reply(const LaunchReply& reply);
Result<LaunchReply> parse_reply(std::string_view text);

// A message, and the descriptors beside it: both or neither.
struct LaunchMessage {
  std::string text;
  Fd input;
  Fd output;
};

// Sends one message; `input` and `output` go with it unless they are -1.
Status send_message(int connection, std::string_view text, int input = -1, int output = -1);
// Waits for one message at most so long. Errc::unavailable: the other end closed the connection;
// Errc::timeout.
Result<LaunchMessage> receive_message(int connection, std::chrono::milliseconds deadline);

}  // namespace vouch::agent
