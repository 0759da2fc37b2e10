// SPDX-License-Identifier: Apache-2.0
// The join string (docs/formats/enrolment.md): vouch://HOST[:PORT]/#TOKEN.PIN[.TLS]. It is a
// secret: read it from stdin, a file or a credential, never from argv or the environment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vouch {

inline constexpr std::uint16_t kStorePortDefault = 8443;
inline constexpr std::size_t kJoinStringBytesMax = 512;

struct JoinString {
  std::string host;  // A name, an IPv4 address, or an IPv6 address in brackets.
  std::uint16_t port = kStorePortDefault;
  std::string token_id;      // 8 raw bytes, public.
  std::string token_secret;  // 24 raw bytes.
  std::string pin;           // 32 raw bytes: SHA-256 of the log's vkey text.
  std::string tls;           // 32 raw bytes, or empty: SHA-256 of the CA's SPKI.

  ~JoinString();  // Wipes the secret.
  JoinString() = default;
  JoinString(const JoinString&) = default;
  JoinString& operator=(const JoinString&) = default;
  JoinString(JoinString&&) = default;
  JoinString& operator=(JoinString&&) = default;

  // "https://HOST:PORT", the base of all requests.
  [[nodiscard]] std::string url() const;
};

// One trailing LF is allowed (a file's). The message of an error never shows the string.
Result<JoinString> parse_join_string(std::string_view text);
std::string write_join_string(const JoinString& join);  // The port is always written.

}  // namespace vouch
