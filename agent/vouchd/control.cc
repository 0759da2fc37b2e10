// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/control.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "core/unix_socket.h"

namespace vouch::agent {
namespace {

constexpr int kBacklog = 16;

// Reads up to the first LF, or fails at the deadline.
Result<std::string> read_line(int fd, std::chrono::milliseconds deadline) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  std::string line;
  std::array<char, 4096> buffer;
  while (line.size() <= kControlLineBytesMax) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    struct pollfd polled {
      fd, POLLIN, 0
    };
    if (left.count() <= 0 || poll(&polled, 1, static_cast<int>(left.count())) == 0) {
      return Error{Errc::timeout, "vouchd did not answer in time"};
    }
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("read from vouchd", errno);
    line.append(buffer.data(), static_cast<std::size_t>(got));
    const auto lf = line.find('\n');
    if (lf != std::string::npos) return line.substr(0, lf);
    if (got == 0) return Error{Errc::unavailable, "vouchd closed the connection"};
  }
  return Error{Errc::too_large, "vouchd's answer is too long"};
}

}  // namespace

Result<json::Value> control_request(const std::string& socket_path, const json::Value& request,
                                    std::chrono::milliseconds deadline) {
  const auto connected = connect_unix(socket_path, SOCK_STREAM);
  if (!connected) return Error(connected.error()).in("vouchd");
  const Fd& fd = *connected;
  const std::string line = json::write(request) + "\n";
  if (send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size())) {
    return errno_error("write to vouchd", errno);
  }
  auto answer = read_line(fd.get(), deadline);
  if (!answer) return std::move(answer).error();
  auto value = json::parse(*answer);
  if (!value) return std::move(value).error().in("vouchd's answer");
  auto ok = json::get_bool(*value, "ok");
  if (!ok) return std::move(ok).error().in("vouchd's answer");
  if (!*ok) return Error{Errc::other, json::get_string(*value, "error").value_or("vouchd failed")};
  return value;
}

Result<Fd> listen_control(const std::string& socket_path) {
  struct sockaddr_un address {};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof address.sun_path) {
    return Error{Errc::invalid, socket_path + ": too long for the path of a socket"};
  }
  std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
  if (auto removed = remove_file(socket_path); !removed) return std::move(removed).error();
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return errno_error("socket", errno);
  const mode_t mask = umask(0117);  // 0660 from the first moment on.
  const int bound =
      bind(fd.get(), reinterpret_cast<const struct sockaddr*>(&address), sizeof address);
  const int reason = errno;
  umask(mask);
  if (bound != 0) return errno_error("bind " + socket_path, reason);
  if (listen(fd.get(), kBacklog) != 0) return errno_error("listen on " + socket_path, errno);
  return fd;
}

std::optional<uid_t> privileged_peer(int connection) {
  const auto user = peer_user(connection);
  return user == 0 || user == geteuid() ? user : std::nullopt;
}

}  // namespace vouch::agent
