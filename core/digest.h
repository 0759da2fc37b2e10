// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104) through OpenSSL.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace vouch {

// The 32 raw bytes of SHA-256(bytes).
std::string sha256(std::string_view bytes);
// The same as 64 lowercase hex digits: the form of a digest in every format.
std::string sha256_hex(std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view message);  // 32 raw bytes.

// Compares in time that depends on the lengths alone. For MACs, tokens and other secrets.
bool constant_time_equal(std::string_view a, std::string_view b);

// The digest of no bytes: the empty blob.
inline constexpr std::string_view kEmptyDigestHex =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// SHA-256 of bytes that arrive in pieces. finish() may be called once.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::string_view bytes);
  std::string finish();      // 32 raw bytes.
  std::string finish_hex();  // 64 hex digits.

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vouch
