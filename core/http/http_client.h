// SPDX-License-Identifier: Apache-2.0
// HTTP requests by libcurl, each from connect to answer within its timeout: TLS 1.2 or newer, names
// and certificates checked, no redirects. With agent/ship, which pins a CA that it has not yet, and
// the mail of alerts the only place that includes curl.h.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace vouch::http {

struct Request {
  std::string url;
  std::string ca_file;               // Empty: the system's.
  std::string pinned_key;            // "sha256//BASE64" of the server's public key; empty: any.
  std::string user_agent = "vouch";  // The program's name; its version is added.
  std::vector<std::string> headers;  // "Name: value"
  std::optional<std::string> body;   // Given: a POST.
  std::chrono::milliseconds timeout{10'000};
  std::size_t reply_bytes_max = 1u << 20;
};

struct Reply {
  int status = 0;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // Names in lower case; as they came.
  std::optional<std::int64_t> retry_after_s;

  // All values of a header, ", " between them; empty if there is none.
  [[nodiscard]] std::string header(std::string_view lower_case_name) const;
};

// Keeps connections between requests. Not safe from several threads.
class Client {
 public:
  Client();
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Any answer that came whole is a value. Errc::too_large: more than `reply_bytes_max`;
  // Errc::timeout; Errc::denied: its key is not the pinned one, or its certificate is not good;
  // Errc::unavailable says why there was no answer, or not all of it. Never the address.
  Result<Reply> send(const Request& request);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vouch::http
