// SPDX-License-Identifier: Apache-2.0
// Private keys. Not copyable, not printable; OpenSSL wipes the secret when the object goes, and
// every buffer that held its PEM text is wiped here.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"
#include "proto/keys.h"

namespace vouch {

class SigningKey {
 public:
  static Result<SigningKey> generate(KeyType type = KeyType::ed25519);
  // PKCS #8 in PEM ("BEGIN PRIVATE KEY"), unencrypted. Refuses other kinds of keys. The caller owns
  // `pem` and should wipe it.
  static Result<SigningKey> from_pem(std::string_view pem);
  // The 32 secret bytes of RFC 8032.
  static Result<SigningKey> from_ed25519_seed(std::string_view seed);

  // Reads a PEM file; refuses one that group or others can access (Errc::denied, saying how to
  // mend it). A systemd credential, which systemd protects, is read with from_pem instead.
  static Result<SigningKey> load(const std::string& path);
  // Writes it durably, mode 0600 (core/file.h).
  [[nodiscard]] Status save(const std::string& path) const;

  SigningKey(SigningKey&&) noexcept = default;
  SigningKey& operator=(SigningKey&&) noexcept = default;
  SigningKey(const SigningKey&) = delete;
  SigningKey& operator=(const SigningKey&) = delete;
  ~SigningKey() = default;

  [[nodiscard]] const PublicKey& public_key() const { return public_key_; }
  [[nodiscard]] std::string keyid() const { return public_key_.keyid(); }
  // 64 bytes for Ed25519, DER for P-256. Fails only if OpenSSL does (no memory, no randomness).
  [[nodiscard]] Result<std::string> sign(std::string_view message) const;

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const;
  };
  using Handle = std::unique_ptr<evp_pkey_st, Free>;
  SigningKey(Handle key, PublicKey public_key)
      : key_(std::move(key)), public_key_(std::move(public_key)) {}
  static Result<SigningKey> wrap(Handle key);
  Handle key_;
  PublicKey public_key_;
};

}  // namespace vouch
