// SPDX-License-Identifier: Apache-2.0
#include "store/token.h"

#include "core/digest.h"
#include "core/encoding.h"
#include "core/random.h"

namespace vouch::store {
namespace {

constexpr std::size_t kIdBytes = 8;
constexpr std::size_t kSecretBytes = 24;

}  // namespace

PresentedToken new_token() {
  return {hex_encode(random_bytes(kIdBytes)), random_bytes(kSecretBytes)};
}

std::string write_token(const PresentedToken& token) {
  auto id = hex_decode(token.id);
  return base64url_encode(*id + token.secret);
}

Result<PresentedToken> parse_token(std::string_view text) {
  auto bytes = base64url_decode(text);
  if (!bytes || bytes->size() != kIdBytes + kSecretBytes) {
    return Error{Errc::invalid, "not a token"};
  }
  return PresentedToken{hex_encode(std::string_view(*bytes).substr(0, kIdBytes)),
                        bytes->substr(kIdBytes)};
}

std::string kept_secret(Role role, const PresentedToken& token) {
  return role == Role::agent ? token.secret : sha256(token.secret);
}

bool token_holds(const Token& token, std::string_view secret, WallMs now) {
  const std::string presented = token.role == Role::agent ? std::string(secret) : sha256(secret);
  return constant_time_equal(presented, token.secret) && now < token.expires;
}

}  // namespace vouch::store
