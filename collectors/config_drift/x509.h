// SPDX-License-Identifier: Apache-2.0
// X.509 certificates as files hold them. Private keys in the same files are passed over unread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace vouch::drift {

struct Certificate {
  std::string subject;  // RFC 2253, as `openssl x509 -nameopt RFC2253` prints it.
  std::string issuer;
  std::string serial;  // Hex digits.
  WallSeconds not_before = 0;
  WallSeconds not_after = 0;
  std::string key_type;             // "rsa", "ec", "ed25519" …
  std::optional<int> key_bits;      // None: a kind of key that the library does not know.
  std::string signature_algorithm;  // "sha256WithRSAEncryption"
  bool is_self_signed = false;      // Signed by its own key, which was checked.
  bool is_authority = false;
  std::string names;        // Alternative names: "DNS:a.example, IP:192.0.2.1".
  std::string fingerprint;  // SHA-256, hex digits.
};

// One certificate in DER; nothing but it. Errc::invalid.
Result<Certificate> parse_certificate(std::string_view der);

// All certificates of a PEM file, in order, or the one of a DER file. A text without a certificate
// (a key, DH parameters) is an empty list. A block that is no certificate is its Error.
std::vector<Result<Certificate>> parse_certificate_file(std::string_view bytes);

}  // namespace vouch::drift
