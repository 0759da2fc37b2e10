// SPDX-License-Identifier: Apache-2.0
// A minimal HTTPS client for load generators and tests: blocking, HTTP/1.1 with keep-alive,
// TLS 1.3, one CA. Knows Content-Length alone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vouch {

struct HttpsAnswer {
  int status = 0;
  std::string head;
  std::string body;
};

class TlsClient {
 public:
  // `ca_path` is the only trust anchor; the certificate must be for `host`.
  static Result<std::unique_ptr<TlsClient>> connect(const std::string& host, std::uint16_t port,
                                                    const std::string& ca_path);
  ~TlsClient();

  Result<HttpsAnswer> get(const std::string& target, const std::string& bearer = "");
  Result<HttpsAnswer> post(const std::string& target, const std::string& content_type,
                           std::string_view body);
  // The bytes as they are, for tests of bad HTTP.
  Result<HttpsAnswer> send_raw(std::string_view bytes);
  // A part of a request; false if the connection is gone.
  bool send_part(std::string_view bytes);
  // Waits for bytes or the end of the connection; true if it is the end.
  bool closed_within(int timeout_ms);

  struct State;
  explicit TlsClient(std::unique_ptr<State> state);  // For connect().

 private:
  Result<HttpsAnswer> read_answer();
  std::unique_ptr<State> state_;
};

}  // namespace vouch
