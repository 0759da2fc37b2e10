// SPDX-License-Identifier: Apache-2.0
// By OpenSSL's plain functions, as in digest.cc.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "core/legacy_digest.h"

#include <openssl/md5.h>
#include <openssl/sha.h>

#include "core/encoding.h"

namespace vouch {

std::string sha1(std::string_view bytes) {
  std::string digest(SHA_DIGEST_LENGTH, '\0');
  ::SHA1(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

struct Md5::State {
  MD5_CTX context;
};

Md5::Md5() : state_(std::make_unique<State>()) {
  MD5_Init(&state_->context);
}
Md5::~Md5() = default;

void Md5::update(std::string_view bytes) {
  MD5_Update(&state_->context, bytes.data(), bytes.size());
}

std::string Md5::finish_hex() {
  std::string digest(MD5_DIGEST_LENGTH, '\0');
  MD5_Final(reinterpret_cast<unsigned char*>(digest.data()), &state_->context);
  return hex_encode(digest);
}

}  // namespace vouch
