// SPDX-License-Identifier: Apache-2.0
// Tokens: 32 random bytes, the first 8 a public id, the rest a secret. An enrolment token travels
// in a join string; an auditor's is shown once and sent as a bearer token.
#pragma once

#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/result.h"
#include "store/index.h"

namespace vouch::store {

struct PresentedToken {
  std::string id;      // 16 hex digits.
  std::string secret;  // 24 raw bytes.
};

PresentedToken new_token();
// base64url, without padding, of id and secret.
std::string write_token(const PresentedToken& token);
Result<PresentedToken> parse_token(std::string_view text);

// What the index keeps of the secret: an enrolment's secret keys a MAC, so it is kept itself; of a
// bearer's only the digest.
std::string kept_secret(Role role, const PresentedToken& token);
// The secret is right, in constant time, and the token has not expired.
bool token_holds(const Token& token, std::string_view secret, WallMs now);

}  // namespace vouch::store
