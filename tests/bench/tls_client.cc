// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/tls_client.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <charconv>
#include <csignal>
#include <utility>

#include "core/file.h"

namespace vouch {
namespace {

constexpr std::size_t kAnswerBytesMax = 64u << 20;
constexpr std::size_t kReadBytes = 16u << 10;
constexpr int kTimeoutSeconds = 30;

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

Error failed(std::string what) {
  return {Errc::unavailable, std::move(what)};
}

Result<Fd> open_socket(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) {
    return failed(host + ": no address");
  }
  const std::unique_ptr<addrinfo, Free> list(found);
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    Fd fd(::socket(entry->ai_family, entry->ai_socktype | SOCK_CLOEXEC, entry->ai_protocol));
    const timeval timeout{kTimeoutSeconds, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd.get(), entry->ai_addr, entry->ai_addrlen) == 0) return fd;
  }
  return failed(host + ": cannot connect");
}

}  // namespace

struct TlsClient::State {
  std::string host;
  Fd fd;
  std::unique_ptr<SSL_CTX, Free> context;
  std::unique_ptr<SSL, Free> ssl;
  std::string buffer;
};

TlsClient::TlsClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
TlsClient::~TlsClient() = default;

Result<std::unique_ptr<TlsClient>> TlsClient::connect(const std::string& host, std::uint16_t port,
                                                      const std::string& ca_path) {
  // OpenSSL writes with write(2): a peer that is gone must be an error, not a signal.
  std::signal(SIGPIPE, SIG_IGN);
  auto state = std::make_unique<State>();
  state->host = host;
  auto fd = open_socket(host, port);
  if (!fd) return std::move(fd).error();
  state->fd = *std::move(fd);
  state->context.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_min_proto_version(state->context.get(), TLS1_3_VERSION);
  if (SSL_CTX_load_verify_locations(state->context.get(), ca_path.c_str(), nullptr) != 1) {
    return failed(ca_path + ": not a CA certificate");
  }
  SSL_CTX_set_verify(state->context.get(), SSL_VERIFY_PEER, nullptr);
  state->ssl.reset(SSL_new(state->context.get()));
  SSL_set_fd(state->ssl.get(), state->fd.get());
  SSL_set1_host(state->ssl.get(), host.c_str());
  if (SSL_connect(state->ssl.get()) != 1) return failed(host + ": TLS handshake failed");
  return std::make_unique<TlsClient>(std::move(state));
}

Result<HttpsAnswer> TlsClient::get(const std::string& target, const std::string& bearer) {
  const std::string authorization =
      bearer.empty() ? "" : "Authorization: Bearer " + bearer + "\r\n";
  return send_raw("GET " + target + " HTTP/1.1\r\nHost: " + state_->host + "\r\n" + authorization +
                  "\r\n");
}

Result<HttpsAnswer> TlsClient::post(const std::string& target, const std::string& content_type,
                                    std::string_view body) {
  std::string message = "POST " + target + " HTTP/1.1\r\nHost: " + state_->host +
                        "\r\nContent-Type: " + content_type +
                        "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  message += body;
  return send_raw(message);
}

Result<HttpsAnswer> TlsClient::send_raw(std::string_view bytes) {
  std::size_t written = 0;
  // A server may answer, and stop reading, before it has seen everything.
  (void)SSL_write_ex(state_->ssl.get(), bytes.data(), bytes.size(), &written);
  return read_answer();
}

bool TlsClient::send_part(std::string_view bytes) {
  std::size_t written = 0;
  return SSL_write_ex(state_->ssl.get(), bytes.data(), bytes.size(), &written) == 1;
}

bool TlsClient::closed_within(int timeout_ms) {
  pollfd waits{state_->fd.get(), POLLIN, 0};
  if (::poll(&waits, 1, timeout_ms) != 1) return false;
  char byte = 0;
  std::size_t count = 0;
  return SSL_peek_ex(state_->ssl.get(), &byte, 1, &count) != 1;
}

Result<HttpsAnswer> TlsClient::read_answer() {
  std::string& buffer = state_->buffer;
  std::size_t head_end = std::string::npos;
  std::size_t body_size = 0;
  for (;;) {
    if (head_end == std::string::npos &&
        (head_end = buffer.find("\r\n\r\n")) != std::string::npos) {
      const auto field = buffer.find("Content-Length: ");
      if (field == std::string::npos || field > head_end) return failed("answer without a length");
      std::from_chars(buffer.data() + field + 16, buffer.data() + head_end, body_size);
    }
    if (head_end != std::string::npos && buffer.size() >= head_end + 4 + body_size) break;
    if (buffer.size() > kAnswerBytesMax) return failed("answer too large");
    char chunk[kReadBytes];
    std::size_t count = 0;
    if (SSL_read_ex(state_->ssl.get(), chunk, sizeof chunk, &count) != 1) {
      return failed("connection closed before the answer");
    }
    buffer.append(chunk, count);
  }
  HttpsAnswer answer;
  answer.head = buffer.substr(0, head_end);
  answer.body = buffer.substr(head_end + 4, body_size);
  std::from_chars(buffer.data() + 9, buffer.data() + 12, answer.status);
  buffer.erase(0, head_end + 4 + body_size);
  return answer;
}

}  // namespace vouch
