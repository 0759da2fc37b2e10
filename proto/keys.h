// SPDX-License-Identifier: Apache-2.0
// Public keys: how they are named and how signatures are verified. OpenSSL is the one
// implementation, in agent, store and verifier alike, since two of them disagree on edge cases.
// Private keys are in proto/signing_key.h, so that a verifier need not link them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

struct evp_pkey_st;

namespace vouch {

enum class KeyType { ed25519, p256 };  // What a key is follows from its SPKI, never from a message.

class PublicKey {
 public:
  // SubjectPublicKeyInfo in DER, in exactly one of two forms: Ed25519 (44 bytes) or an uncompressed
  // point of P-256 (91 bytes). Refuses (Errc::invalid) any other byte, Ed25519 keys with y >= p or
  // of small order (one signature fits every message under those), and points off the curve.
  static Result<PublicKey> from_spki(std::string_view der);
  // The 32 bytes of RFC 8032 as they stand in note vkeys; same refusals.
  static Result<PublicKey> from_ed25519(std::string_view raw);

  [[nodiscard]] KeyType type() const { return type_; }
  [[nodiscard]] const std::string& spki() const { return spki_; }  // DER.
  [[nodiscard]] std::string raw() const;          // The last 32 bytes (Ed25519) or 64 (P-256).
  [[nodiscard]] std::string keyid() const;        // base64(SHA-256(SPKI DER)).
  [[nodiscard]] std::string spki_digest() const;  // The same digest in hex.

  // Ed25519: pure, 64 bytes. P-256: ECDSA with SHA-256, strict DER without trailing bytes.
  [[nodiscard]] bool verify(std::string_view message, std::string_view signature) const;

  bool operator==(const PublicKey& other) const { return spki_ == other.spki_; }

 private:
  PublicKey(KeyType type, std::string spki, std::shared_ptr<evp_pkey_st> key)
      : type_(type), spki_(std::move(spki)), key_(std::move(key)) {}
  KeyType type_;
  std::string spki_;
  std::shared_ptr<evp_pkey_st> key_;  // Immutable; copies of this PublicKey own it together.
};

}  // namespace vouch
