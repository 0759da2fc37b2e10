// SPDX-License-Identifier: Apache-2.0
// Who holds connections, and for how long, over real sockets on loopback.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "core/file.h"
#include "store/running_server.h"
#include "store/test_store.h"
#include "tests/bench/tls_client.h"

using namespace vouch;
using namespace vouch::store;

namespace {

constexpr int kPatienceMs = 10'000;  // Longer than any deadline under test.

// A plain connection from an address of the loopback network, which says nothing.
Fd silent_connection(const char* from, std::uint16_t port) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  ::inet_pton(AF_INET, from, &address.sin_addr);
  REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  ::inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  address.sin_port = htons(port);
  REQUIRE(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

bool closed_within(const Fd& fd, int timeout_ms) {
  pollfd waits{fd.get(), POLLIN, 0};
  if (::poll(&waits, 1, timeout_ms) != 1) return false;
  char byte = 0;
  return ::recv(fd.get(), &byte, 1, 0) <= 0;
}

struct Limited {
  explicit Limited(const ServerOptions& options) : server(store.handler(), store.path(), options) {}
  Result<std::unique_ptr<TlsClient>> connect() {
    return TlsClient::connect("localhost", server.port(), store.path() + "/tls/ca.crt");
  }

  TestStore store;
  RunningServer server;
};

// Sends a byte now and then until the server has had enough; false if it never has.
bool cut_off_while_dribbling(TlsClient& client) {
  const auto start = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - start < std::chrono::milliseconds(kPatienceMs)) {
    if (client.closed_within(20) || !client.send_part("x")) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("connections above the bound are closed", "[http]") {
  ServerOptions options;
  options.connections_max = 1;
  Limited limited(options);
  auto first = limited.connect();
  REQUIRE(first);

  CHECK_FALSE(limited.connect());
  CHECK((*first)->get("/healthz").value().status == 200);
}

TEST_CASE("one client cannot hold the places of others", "[http]") {
  ServerOptions options;
  options.connections_max = 16;
  options.connections_per_client_max = 8;
  Limited limited(options);
  std::vector<Fd> held;
  for (std::size_t i = 0; i < options.connections_per_client_max; ++i) {
    held.push_back(silent_connection("127.0.0.2", limited.server.port()));
  }

  CHECK(closed_within(silent_connection("127.0.0.2", limited.server.port()), kPatienceMs));
  CHECK(limited.connect().value()->get("/healthz").value().status == 200);
}

TEST_CASE("a place that is given back can be taken again", "[http]") {
  ServerOptions options;
  options.connections_per_client_max = 1;
  Limited limited(options);
  for (int i = 0; i < 5; ++i) {
    auto client = limited.connect();
    // The server may still be closing the one before.
    for (int j = 0; j < 1000 && !client; ++j) client = limited.connect();
    REQUIRE(client);
    CHECK((*client)->get("/healthz").value().status == 200);
  }
}

TEST_CASE("who begins no TLS handshake is cut off", "[http]") {
  ServerOptions options;
  options.handshake = std::chrono::milliseconds(100);
  Limited limited(options);

  CHECK(closed_within(silent_connection("127.0.0.2", limited.server.port()), kPatienceMs));
}

TEST_CASE("who sends a header or a body byte by byte is cut off", "[http]") {
  ServerOptions options;
  options.head = std::chrono::milliseconds(300);
  options.stall = std::chrono::milliseconds(300);
  Limited limited(options);
  const std::string start = GENERATE(as<std::string>{}, "GET /healthz HTTP/1.1\r\nX: ",
                                     "POST /v1/parcels HTTP/1.1\r\nHost: x\r\n"
                                     "Content-Type: application/vnd.vouch.parcel+zstd\r\n"
                                     "Content-Length: 65536\r\n\r\n",
                                     "POST /v1/enroll HTTP/1.1\r\nHost: x\r\n"
                                     "Content-Length: 60000\r\n\r\n");
  auto client = limited.connect();
  REQUIRE(client);
  REQUIRE((*client)->send_part(start));

  CHECK(cut_off_while_dribbling(**client));
}

TEST_CASE("a connection on which nothing is asked ends", "[http]") {
  ServerOptions options;
  options.idle = std::chrono::milliseconds(100);
  Limited limited(options);
  auto client = limited.connect();
  REQUIRE(client);
  REQUIRE((*client)->get("/healthz"));

  CHECK((*client)->closed_within(kPatienceMs));
}
