// SPDX-License-Identifier: Apache-2.0
// HTTPS by libcurl: TLS 1.3, host names checked, no redirects. With alerts/channels,
// the only place that includes curl.h.
#pragma once

#include <memory>
#include <string>

#include "agent/ship/transport.h"
#include "core/result.h"
#include "proto/join_string.h"

namespace vouch::ship {

struct CurlOptions {
  std::string url;     // "https://HOST:PORT"
  std::string ca_pem;  // The only trust anchor; empty: the system's.
  // SHA-256 of the SPKI of the only acceptable CA, 32 bytes; it is looked for in the chain that the
  // server sends. For enrolment, when the CA itself is not known yet.
  std::string ca_pin;
};

class CurlTransport final : public Transport {
 public:
  explicit CurlTransport(CurlOptions options);
  ~CurlTransport() override;
  CurlTransport(const CurlTransport&) = delete;
  CurlTransport& operator=(const CurlTransport&) = delete;

  Result<HttpAnswer> get(const std::string& path, std::size_t bytes_max) override;
  Result<HttpAnswer> post(const std::string& path, std::string_view content_type,
                          std::string_view body, std::size_t bytes_max) override;
  // The CA that ca_pin named, once a connection was made.
  [[nodiscard]] const std::string& pinned_ca() const;

  struct State;

 private:
  std::unique_ptr<State> state_;
};

// One enrolment request, for vouch::agent::enrol(): status, body, and the pinned CA, if any.
struct EnrolmentAnswer {
  int status = 0;
  std::string body;
  std::string ca_pem;
};
Result<EnrolmentAnswer> post_enrolment(const JoinString& join, const std::string& envelope);

}  // namespace vouch::ship
