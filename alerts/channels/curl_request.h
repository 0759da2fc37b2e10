// SPDX-License-Identifier: Apache-2.0
// One request by libcurl, from connect to answer within its timeout: TLS 1.2 or newer, names and
// certificates checked, no redirects. The only place of this room that includes curl.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"

namespace vouch::alerts {

struct HttpPost {
  std::string url;
  std::string ca_file;               // Empty: the system's.
  std::vector<std::string> headers;  // "Name: value"
  std::string body;
  std::int64_t timeout_s = 10;
};

struct HttpReply {
  int status = 0;
  std::optional<std::int64_t> retry_after_s;
};

// Any answer is a value. Errc::unavailable says why there was none; never the address.
Result<HttpReply> http_post(const HttpPost& post);

struct MailTransfer {
  std::string url;  // smtp:// or smtps://
  std::string ca_file;
  std::string user, password;
  std::string from;
  std::vector<std::string> to;
  std::string message;
  bool tls = true;  // smtp:// turns to TLS, or nothing is sent.
  std::int64_t timeout_s = 10;
};

// Good once the server has said 250 to the whole message.
Status send_mail(const MailTransfer& mail);

}  // namespace vouch::alerts
