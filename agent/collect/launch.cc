// SPDX-License-Identifier: Apache-2.0
#include "agent/collect/launch.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include "core/json.h"

namespace vouch::agent {
namespace {

constexpr std::int64_t kVersion = 1;
constexpr std::size_t kDescriptors = 2;
constexpr std::size_t kFileMarkCharsMax = 128;

constexpr std::array<std::pair<Exit::How, std::string_view>, 5> kHows{{
    {Exit::How::exited, "exited"},
    {Exit::How::signalled, "signalled"},
    {Exit::How::deadline, "deadline"},
    {Exit::How::output_too_large, "output-too-large"},
    {Exit::How::cancelled, "cancelled"},
}};

// What a start that failed may be; anything else reads as `other`.
constexpr std::array<std::pair<Errc, std::string_view>, 4> kErrors{{
    {Errc::denied, "denied"},
    {Errc::not_found, "not-found"},
    {Errc::invalid, "invalid"},
    {Errc::unavailable, "unavailable"},
}};

Result<json::Value> parse_versioned(std::string_view text) {
  auto value = json::parse(text);
  if (!value) return value;
  auto version = json::get_integer(*value, "v");
  if (!version) return std::move(version).error();
  if (*version != kVersion) {
    return Error{Errc::invalid, fmt::format("version {} of the launch protocol is not known: "
                                            "vouchd and vouch-collect are of one package",
                                            *version)};
  }
  return value;
}

bool is_file_mark(std::string_view text) {
  return text.size() <= kFileMarkCharsMax && std::count(text.begin(), text.end(), ':') == 4 &&
         text.find_first_not_of("-0123456789:") == text.npos;
}

bool is_absolute(std::string_view path) {
  return path.starts_with('/') && path.find('\0') == path.npos;
}

// Takes what came beside the message into `message`; false if it is not two descriptors or none.
bool take_descriptors(struct msghdr& header, LaunchMessage& message) {
  std::array<int, kDescriptors> fds{-1, -1};
  std::size_t count = 0;
  for (auto* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t here = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < here; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
      if (count < kDescriptors) {
        fds[count] = fd;
      } else {
        const Fd surplus(fd);
      }
      ++count;
    }
  }
  message.input = Fd(fds[0]);
  message.output = Fd(fds[1]);
  return count == 0 || count == kDescriptors;
}

}  // namespace

std::string write_hello(const LaunchHello& hello) {
  return json::write(json::Object{{"v", kVersion},
                                  {"cache_root", hello.cache_root},
                                  {"capabilities", fmt::format("{:016x}", hello.capabilities)}});
}

Result<LaunchHello> parse_hello(std::string_view text) {
  auto value = parse_versioned(text);
  if (!value) return std::move(value).error();
  LaunchHello hello;
  auto root = json::get_string(*value, "cache_root");
  if (!root) return std::move(root).error();
  if (!root->empty() && !is_absolute(*root)) {
    return Error{Errc::invalid, "member \"cache_root\": expected an absolute path"};
  }
  hello.cache_root = *std::move(root);
  auto hex = json::get_string(*value, "capabilities");
  if (!hex) return std::move(hex).error();
  const char* const end = hex->data() + hex->size();
  const auto [stop, fault] = std::from_chars(hex->data(), end, hello.capabilities, 16);
  if (hex->size() != 16 || fault != std::errc() || stop != end) {
    return Error{Errc::invalid, "member \"capabilities\": expected 16 hex digits"};
  }
  return hello;
}

std::string write_launch(const LaunchRequest& request) {
  const bool run = request.mode == LaunchRequest::Mode::run;
  return json::write(json::Object{{"v", kVersion},
                                  {"program", request.program},
                                  {"file", request.file},
                                  {"mode", run ? "run" : "describe"},
                                  {"deadline_ms", request.deadline_ms}});
}

Result<LaunchRequest> parse_launch(std::string_view text) {
  auto value = parse_versioned(text);
  if (!value) return std::move(value).error();
  LaunchRequest request;
  auto program = json::get_string(*value, "program");
  if (!program) return std::move(program).error();
  if (!is_absolute(*program)) {
    return Error{Errc::invalid, "member \"program\": expected an absolute path"};
  }
  request.program = *std::move(program);
  auto file = json::get_string(*value, "file");
  if (!file) return std::move(file).error();
  if (!is_file_mark(*file)) return Error{Errc::invalid, "member \"file\": expected a mark"};
  request.file = *std::move(file);
  auto mode = json::get_string(*value, "mode");
  if (!mode) return std::move(mode).error();
  if (*mode != "run" && *mode != "describe") {
    return Error{Errc::invalid, "member \"mode\": expected run or describe"};
  }
  request.mode = *mode == "run" ? LaunchRequest::Mode::run : LaunchRequest::Mode::describe;
  auto deadline = json::get_integer(*value, "deadline_ms");
  if (!deadline) return std::move(deadline).error();
  if (*deadline < 1 || *deadline > kLaunchDeadlineMsMax) {
    return Error{Errc::invalid, "member \"deadline_ms\": expected 1 to 3600000"};
  }
  request.deadline_ms = *deadline;
  return request;
}

std::string write_reply(const LaunchReply& reply) {
  if (const auto* error = std::get_if<Error>(&reply)) {
    std::string_view code = "other";
    for (const auto& [known, name] : kErrors) {
      if (known == error->code) code = name;
    }
    const bool readable = json::is_valid_utf8(error->message);
    const std::string message = readable ? error->message : "the program could not be started";
    return json::write(json::Object{{"v", kVersion}, {"error", code}, {"message", message}});
  }
  const auto& exit = std::get<Exit>(reply);
  std::string_view how;
  for (const auto& [known, name] : kHows) {
    if (known == exit.how) how = name;
  }
  return json::write(json::Object{{"v", kVersion},
                                  {"how", how},
                                  {"code", exit.code},
                                  {"cpu_ms", std::int64_t{exit.cpu.count()}},
                                  {"wall_ms", std::int64_t{exit.wall.count()}},
                                  {"max_rss_kib", std::int64_t{exit.max_rss_kib}}});
}

Result<LaunchReply> parse_reply(std::string_view text) {
  auto value = parse_versioned(text);
  if (!value) return std::move(value).error();
  if (value->find("error") != nullptr) {
    auto code = json::get_string(*value, "error");
    if (!code) return std::move(code).error();
    auto message = json::get_string(*value, "message");
    if (!message) return std::move(message).error();
    Error error{Errc::tool_failed, *std::move(message)};
    for (const auto& [known, name] : kErrors) {
      if (name == *code) error.code = known;
    }
    return LaunchReply(std::move(error));
  }
  auto how = json::get_string(*value, "how");
  if (!how) return std::move(how).error();
  Exit exit;
  const auto found = std::find_if(kHows.begin(), kHows.end(),
                                  [&](const auto& each) { return each.second == *how; });
  if (found == kHows.end()) return Error{Errc::invalid, "member \"how\": unknown"};
  exit.how = found->first;
  std::array<std::int64_t, 4> numbers{};
  constexpr std::array<std::string_view, 4> kNames{"code", "cpu_ms", "wall_ms", "max_rss_kib"};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    auto number = json::get_integer(*value, kNames[i]);
    if (!number) return std::move(number).error();
    numbers[i] = *number;
  }
  exit.code = static_cast<int>(std::clamp<std::int64_t>(numbers[0], 0, 255));
  exit.cpu = std::chrono::milliseconds(numbers[1]);
  exit.wall = std::chrono::milliseconds(numbers[2]);
  exit.max_rss_kib = static_cast<long>(numbers[3]);
  return LaunchReply(std::move(exit));
}

Status send_message(int connection, std::string_view text, int input, int output) {
  struct iovec bytes {
    const_cast<char*>(text.data()), text.size()
  };
  struct msghdr header {};
  header.msg_iov = &bytes;
  header.msg_iovlen = 1;
  alignas(struct cmsghdr) std::array<char, CMSG_SPACE(kDescriptors * sizeof(int))> control{};
  if (input >= 0 && output >= 0) {
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    auto* part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(kDescriptors * sizeof(int));
    const std::array<int, kDescriptors> fds{input, output};
    std::memcpy(CMSG_DATA(part), fds.data(), sizeof fds);
  }
  for (;;) {
    if (::sendmsg(connection, &header, MSG_NOSIGNAL) >= 0) return Ok{};
    if (errno != EINTR) return errno_error("send a launch message", errno);
  }
}

Result<LaunchMessage> receive_message(int connection, std::chrono::milliseconds deadline) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    struct pollfd polled {
      connection, POLLIN, 0
    };
    const int ready = left.count() <= 0 ? 0 : ::poll(&polled, 1, static_cast<int>(left.count()));
    if (ready == 0) return Error{Errc::timeout, "no launch message in time"};
    if (ready > 0) break;
    if (errno != EINTR) return errno_error("wait for a launch message", errno);
  }
  LaunchMessage message;
  message.text.resize(kLaunchMessageBytesMax);
  struct iovec bytes {
    message.text.data(), message.text.size()
  };
  struct msghdr header {};
  header.msg_iov = &bytes;
  header.msg_iovlen = 1;
  alignas(struct cmsghdr) std::array<char, 256> control{};
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ssize_t got = -1;
  do {
    got = ::recvmsg(connection, &header, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return errno_error("receive a launch message", errno);
  const bool whole = take_descriptors(header, message);
  if (got == 0) return Error{Errc::unavailable, "the other end closed the connection"};
  if (!whole || (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return Error{Errc::invalid, "a launch message is too long, or has other descriptors than two"};
  }
  message.text.resize(static_cast<std::size_t>(got));
  return message;
}

}  // namespace vouch::agent
