// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/control_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "agent/vouchd/control.h"

namespace vouch::agent {
namespace {

constexpr std::size_t kConnectionsMax = 16;
constexpr std::chrono::seconds kConnectionDeadline{10};

}  // namespace

Status ControlServer::listen(const std::string& socket_path) {
  auto listener = listen_control(socket_path);
  if (!listener) return std::move(listener).error();
  listener_ = *std::move(listener);
  return Ok{};
}

void ControlServer::add_to(std::vector<struct pollfd>& polled) const {
  polled.push_back({listener_.get(), POLLIN, 0});
  for (const Connection& each : connections_) polled.push_back({each.fd.get(), POLLIN, 0});
}

void ControlServer::accept_one() {
  Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd || connections_.size() >= kConnectionsMax) return;  // Closed: the client tries again.
  connections_.push_back({std::move(fd), "", std::chrono::steady_clock::now()});
}

void ControlServer::look(const std::vector<struct pollfd>& polled, std::size_t first,
                         const OnLine& on_line) {
  std::vector<Connection> open;
  const auto now = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    Connection connection = std::move(connections_[i]);
    if (now - connection.opened > kConnectionDeadline) continue;
    if (polled[first + 1 + i].revents != 0) {
      std::array<char, 4096> buffer;
      const ssize_t got = ::read(connection.fd.get(), buffer.data(), buffer.size());
      if (got <= 0) continue;
      connection.line.append(buffer.data(), static_cast<std::size_t>(got));
      if (connection.line.size() > kControlLineBytesMax) continue;
      if (const auto lf = connection.line.find('\n'); lf != std::string::npos) {
        connection.line.resize(lf);
        on_line(std::move(connection.fd), std::move(connection.line));
        continue;
      }
    }
    open.push_back(std::move(connection));
  }
  connections_ = std::move(open);
  if (polled[first].revents != 0) accept_one();
}

void reply(int connection, const json::Value& answer) {
  const std::string line = json::write(answer) + "\n";
  [[maybe_unused]] const ssize_t sent = ::send(connection, line.data(), line.size(), MSG_NOSIGNAL);
}

json::Value control_failure(std::string_view text) {
  return json::Object{{"ok", false}, {"error", text}};
}

}  // namespace vouch::agent
