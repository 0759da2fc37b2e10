// SPDX-License-Identifier: Apache-2.0
// What the channels send: HTTP by core/http, and mail by libcurl, from connect to answer within its
// timeout: TLS 1.2 or newer, names and certificates checked. The only place of this room that
// includes curl.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/http/http_client.h"
#include "core/result.h"

namespace vouch::alerts {

struct HttpPost {
  std::string url;
  std::string ca_file;               // Empty: the system's.
  std::vector<std::string> headers;  // "Name: value"
  std::string body;
  std::int64_t timeout_s = 10;
};

// Errors as http::Client::send().
Result<http::Reply> http_post(const HttpPost& post);

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
