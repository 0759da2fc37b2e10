// SPDX-License-Identifier: Apache-2.0
#include "core/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <cstdlib>

#include "core/encoding.h"

namespace vouch {
namespace {

constexpr std::size_t kDigestBytes = 32;

// OpenSSL fails here only without memory, which nobody could handle better.
void require(bool condition) {
  if (!condition) std::abort();
}

const unsigned char* data_of(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* data_of(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

// Fetched once: an implicit fetch for each of many small digests costs more than the hashing.
const EVP_MD* sha256_method() {
  static EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  require(method != nullptr);
  return method;
}

struct ContextDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

}  // namespace

struct Sha256::State {
  std::unique_ptr<EVP_MD_CTX, ContextDeleter> context{EVP_MD_CTX_new()};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  require(state_->context != nullptr);
  require(EVP_DigestInit_ex2(state_->context.get(), sha256_method(), nullptr) == 1);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
  require(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1);
}

std::string Sha256::finish() {
  std::string digest(kDigestBytes, '\0');
  require(EVP_DigestFinal_ex(state_->context.get(), data_of(digest), nullptr) == 1);
  return digest;
}

std::string Sha256::finish_hex() {
  return hex_encode(finish());
}

std::string sha256(std::string_view bytes) {
  std::string digest(kDigestBytes, '\0');
  require(EVP_Digest(bytes.data(), bytes.size(), data_of(digest), nullptr, sha256_method(),
                     nullptr) == 1);
  return digest;
}

std::string sha256_hex(std::string_view bytes) {
  return hex_encode(sha256(bytes));
}

std::string hmac_sha256(std::string_view key, std::string_view message) {
  std::string mac(kDigestBytes, '\0');
  unsigned int size = 0;
  require(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data_of(message),
               message.size(), data_of(mac), &size) != nullptr);
  return mac;
}

bool constant_time_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace vouch
