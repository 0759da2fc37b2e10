// SPDX-License-Identifier: Apache-2.0
// The daemon's end of the control socket (control.h): who is connected, and the line that each
// says. One thread.
//
//   server.add_to(polled); poll(polled…); server.look(polled, first, on_line);
#pragma once

#include <poll.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.h"
#include "core/json.h"
#include "core/result.h"

namespace vouch::agent {

class ControlServer {
 public:
  // Takes the connection: whoever answers, closes.
  using OnLine = std::function<void(Fd connection, std::string line)>;

  Status listen(const std::string& socket_path);
  [[nodiscard]] bool has_connections() const { return !connections_.empty(); }
  void add_to(std::vector<struct pollfd>& polled) const;
  // `first`: where add_to() put the first of its entries. A client that says nothing for 10 s, or
  // too much, is cut off.
  void look(const std::vector<struct pollfd>& polled, std::size_t first, const OnLine& on_line);

 private:
  struct Connection {
    Fd fd;
    std::string line;
    std::chrono::steady_clock::time_point opened;
  };
  void accept_one();

  Fd listener_;
  std::vector<Connection> connections_;
};

// One line; a client that has gone away gets no answer, which is its affair.
void reply(int connection, const json::Value& answer);
json::Value control_failure(std::string_view text);

}  // namespace vouch::agent
