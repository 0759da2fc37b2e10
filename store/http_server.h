// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 over TLS 1.3, with keep-alive. One thread for the network, a small pool for the
// handlers; every wait has a deadline and everything a peer can make grow has a bound. Connections
// are bounded per client address too, and connections above a bound are closed at once.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/result.h"
#include "store/bounds.h"
#include "store/http.h"

namespace vouch::store {

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8443;     // 0: any; see port().
  std::string certificate_path;  // PEM, with its chain.
  std::string key_path;          // PEM.
  unsigned threads = 2;          // Of the pool.
  std::size_t connections_max = kConnectionsMax;
  std::size_t connections_per_client_max = kConnectionsPerClientMax;
  std::size_t header_bytes_max = 16u << 10;
  std::size_t body_bytes_max = 64u << 10;  // Of what is not an upload.
  std::uint64_t upload_bytes_max = 528u << 20;
  std::chrono::milliseconds handshake{10'000};
  std::chrono::milliseconds idle{75'000};  // Between two requests of a connection.
  std::chrono::milliseconds head{10'000};
  std::chrono::milliseconds stall{
      30'000};  // For each 64 KiB of a body, and for who reads an answer.
  std::chrono::milliseconds request{600'000};  // A whole request.
  std::chrono::milliseconds stop{10'000};      // For what is under way when it stops.
};

class HttpServer {
 public:
  // Binds and listens. Errc::denied or unavailable if it cannot, Errc::invalid for a bad
  // certificate or key. `handler` must outlive it.
  static Result<std::unique_ptr<HttpServer>> listen(const ServerOptions& options, Handler& handler);
  ~HttpServer();

  [[nodiscard]] std::uint16_t port() const;
  // Serves on the calling thread until stop() or, if `handle_signals`, SIGTERM or SIGINT; then lets
  // requests under way end. No handler runs after the destructor.
  void run(bool handle_signals = false);
  void stop();  // From any thread.

  class State;
  explicit HttpServer(std::unique_ptr<State> state);  // For listen().

 private:
  std::unique_ptr<State> state_;
};

}  // namespace vouch::store
