// SPDX-License-Identifier: Apache-2.0
#include "proto/keys.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/digest.h"
#include "core/encoding.h"

namespace vouch {
namespace {

// The only two DER forms: everything before the key's own bytes is constant.
constexpr std::string_view kEd25519Prefix("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 12);
constexpr std::string_view kP256Prefix(
    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
    "\x03\x42\x00\x04",
    27);
constexpr std::size_t kEd25519RawBytes = 32;
constexpr std::size_t kEd25519SignatureBytes = 64;
constexpr std::size_t kP256RawBytes = 64;

// y < p = 2^255 - 19, little-endian, the sign bit left aside.
bool is_reduced(std::string_view raw) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(raw[i]); };
  if ((byte(31) & 0x7f) != 0x7f) return true;
  for (std::size_t i = 30; i >= 1; --i) {
    if (byte(i) != 0xff) return true;
  }
  return byte(0) < 0xed;
}

// The y of all points whose order divides 8. Those with y >= p need no line here.
bool has_small_order(std::string_view raw) {
  static constexpr std::array<std::string_view, 5> kSmallOrderY = {
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000000",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"};
  std::string y(raw);
  y[31] = static_cast<char>(static_cast<std::uint8_t>(y[31]) & 0x7f);
  return std::ranges::find(kSmallOrderY, hex_encode(y)) != kSmallOrderY.end();
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::shared_ptr<EVP_PKEY> import_ed25519(std::string_view raw) {
  return {EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(raw), raw.size()),
          EVP_PKEY_free};
}

// `point` is 04 || x || y. OpenSSL checks that it lies on the curve.
std::shared_ptr<EVP_PKEY> import_p256(std::string_view point) {
  const std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)> builder(
      OSSL_PARAM_BLD_new(), OSSL_PARAM_BLD_free);
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr), EVP_PKEY_CTX_free);
  if (!builder || !context) return nullptr;
  if (OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return nullptr;
  }
  const std::unique_ptr<OSSL_PARAM, decltype(&OSSL_PARAM_free)> parameters(
      OSSL_PARAM_BLD_to_param(builder.get()), OSSL_PARAM_free);
  EVP_PKEY* key = nullptr;
  if (!parameters || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return {key, EVP_PKEY_free};
}

}  // namespace

Result<PublicKey> PublicKey::from_spki(std::string_view der) {
  if (der.size() == kEd25519Prefix.size() + kEd25519RawBytes && der.starts_with(kEd25519Prefix)) {
    return from_ed25519(der.substr(kEd25519Prefix.size()));
  }
  if (der.size() != kP256Prefix.size() + kP256RawBytes || !der.starts_with(kP256Prefix)) {
    return Error{Errc::invalid, "public key: neither Ed25519 nor an uncompressed P-256 point"};
  }
  auto key = import_p256(der.substr(kP256Prefix.size() - 1));
  if (!key) return Error{Errc::invalid, "public key: not a point of P-256"};
  return PublicKey(KeyType::p256, std::string(der), std::move(key));
}

Result<PublicKey> PublicKey::from_ed25519(std::string_view raw) {
  if (raw.size() != kEd25519RawBytes) {
    return Error{Errc::invalid, "public key: an Ed25519 key has 32 bytes"};
  }
  if (!is_reduced(raw)) return Error{Errc::invalid, "public key: Ed25519 with y not below p"};
  if (has_small_order(raw)) return Error{Errc::invalid, "public key: Ed25519 of small order"};
  auto key = import_ed25519(raw);
  if (!key) return Error{Errc::invalid, "public key: OpenSSL refuses it"};
  return PublicKey(KeyType::ed25519, std::string(kEd25519Prefix) + std::string(raw),
                   std::move(key));
}

std::string PublicKey::raw() const {
  return spki_.substr(type_ == KeyType::ed25519 ? kEd25519Prefix.size() : kP256Prefix.size());
}

std::string PublicKey::keyid() const {
  return base64_encode(sha256(spki_));
}

std::string PublicKey::spki_digest() const {
  return sha256_hex(spki_);
}

bool PublicKey::verify(std::string_view message, std::string_view signature) const {
  const bool is_ed25519 = type_ == KeyType::ed25519;
  if (is_ed25519 && signature.size() != kEd25519SignatureBytes) return false;
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  const EVP_MD* const hash = is_ed25519 ? nullptr : EVP_sha256();
  return context && EVP_DigestVerifyInit(context.get(), nullptr, hash, nullptr, key_.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(message),
                          message.size()) == 1;
}

}  // namespace vouch
