// SPDX-License-Identifier: Apache-2.0
// A server on a port of its own on loopback, for tests; it stops with the object.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "store/http_server.h"

namespace vouch::store {

class RunningServer {
 public:
  explicit RunningServer(Handler& handler, const std::string& dir, ServerOptions options = {}) {
    options.port = 0;
    options.certificate_path = dir + "/tls/server.crt";
    options.key_path = dir + "/private/server.pem";
    auto server = HttpServer::listen(options, handler);
    REQUIRE(server);
    server_ = *std::move(server);
    thread_ = std::thread([this] { server_->run(); });
  }
  ~RunningServer() {
    server_->stop();
    thread_.join();
  }
  std::uint16_t port() const { return server_->port(); }

 private:
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
};

}  // namespace vouch::store
