// SPDX-License-Identifier: Apache-2.0
// Who is at the other end of a channel, in tests: on the loopback, one connection after the other,
// in a thread of its own. Real servers are in tests/e2e/alert_channels_test.py.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/file.h"

namespace vouch::alerts {

enum class Manner { accepts, refuses, hangs, breaks_off };

class Counterpart {
 public:
  enum class Speaks { http, smtp };

  Counterpart(Speaks speaks, Manner manner) : speaks_(speaks), manner_(manner) {
    listener_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    struct sockaddr_in address {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    REQUIRE(::bind(listener_.get(), reinterpret_cast<struct sockaddr*>(&address), length) == 0);
    REQUIRE(::listen(listener_.get(), 8) == 0);
    REQUIRE(::getsockname(listener_.get(), reinterpret_cast<struct sockaddr*>(&address), &length) ==
            0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Counterpart() {
    stopping_ = true;
    thread_.join();
  }
  Counterpart(const Counterpart&) = delete;
  Counterpart& operator=(const Counterpart&) = delete;

  [[nodiscard]] std::string address(const std::string& scheme) const {
    return scheme + "://127.0.0.1:" + std::to_string(port_);
  }
  // All that was sent by all connections so far.
  [[nodiscard]] std::string received() const {
    const std::lock_guard lock(mutex_);
    return received_;
  }

 private:
  bool wait(int fd) const {
    while (!stopping_) {
      struct pollfd polled {
        fd, POLLIN, 0
      };
      if (::poll(&polled, 1, 20) > 0) return true;
    }
    return false;
  }
  void serve() {
    while (wait(listener_.get())) {
      const Fd connection(::accept(listener_.get(), nullptr, nullptr));
      if (connection) talk(connection.get());
    }
  }
  void talk(int fd) {
    if (manner_ == Manner::hangs) {
      while (wait(fd) && !read_some(fd).empty()) {
      }
      return;
    }
    if (speaks_ == Speaks::http) return talk_http(fd);
    talk_smtp(fd);
  }
  void talk_http(int fd) {
    std::string request;
    while (!is_whole(request)) {
      if (!wait(fd)) return;
      const auto more = read_some(fd);
      if (more.empty()) return;
      request += more;
    }
    if (manner_ == Manner::accepts) say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    if (manner_ == Manner::refuses) {
      say(fd, "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
    }
    if (manner_ == Manner::breaks_off) say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nha");
  }
  void talk_smtp(int fd) {
    say(fd, "220 here\r\n");
    bool data = false;
    std::string line;
    while (wait(fd)) {
      const auto more = read_some(fd);
      if (more.empty()) return;
      line += more;
      for (auto end = line.find("\r\n"); end != std::string::npos; end = line.find("\r\n")) {
        const auto word = line.substr(0, end);
        line.erase(0, end + 2);
        if (data && word != ".") continue;
        if (data) {
          if (manner_ == Manner::breaks_off) return;
          data = false;
          say(fd, "250 taken\r\n");
        } else if (word.starts_with("DATA")) {
          data = true;
          say(fd, "354 go on\r\n");
        } else if (word.starts_with("RCPT") && manner_ == Manner::refuses) {
          say(fd, "550 nobody of that name\r\n");
        } else {
          say(fd, word.starts_with("QUIT") ? "221 bye\r\n" : "250 fine\r\n");
        }
      }
    }
  }
  static bool is_whole(const std::string& request) {
    const auto end = request.find("\r\n\r\n");
    const auto at = request.find("Content-Length: ");
    if (end == std::string::npos || at == std::string::npos) return false;
    return request.size() >= end + 4 + std::stoul(request.substr(at + 16));
  }
  std::string read_some(int fd) {
    std::string buffer(65536, '\0');
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    buffer.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    const std::lock_guard lock(mutex_);
    received_ += buffer;
    return buffer;
  }
  static void say(int fd, const std::string& text) {
    [[maybe_unused]] const auto sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
  }

  Speaks speaks_;
  Manner manner_;
  Fd listener_;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;  // Guards received_.
  std::string received_;
  std::thread thread_;
};

}  // namespace vouch::alerts
