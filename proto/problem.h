// SPDX-License-Identifier: Apache-2.0
// Problems, RFC 9457, that the store answers with (proto/openapi.yaml): `type` is
// "urn:vouch:problem:<name>". They are unsigned: an agent reports them and tries again, nothing
// more.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/json.h"
#include "core/result.h"

namespace vouch {

inline constexpr std::string_view kProblemMediaType = "application/problem+json";
inline constexpr std::size_t kProblemBytesMax = 256u << 10;

enum class ProblemKind {
  malformed,       // 400 {reason, member}
  unknown_key,     // 401, with WWW-Authenticate: Vouch
  token,           // 401: unknown, used up or expired, one answer for all
  bad_signature,   // 403
  revoked,         // 403
  forbidden,       // 403: signed in, but the role is missing
  not_found,       // 404
  missing_blobs,   // 409 {missing: [hex]}
  chain,           // 409 {expected_seq, expected_prev, fork, proof?}
  agent_exists,    // 409
  too_large,       // 413 {limit}
  bad_statement,   // 422 {reason, pointer}
  bad_blob,        // 422 {sha256, reason}
  upgrade_needed,  // 422 {accepts}
  quota,           // 429 {unit, limit}, with Retry-After
  busy,            // 503, with Retry-After
  internal,        // 500
};

std::string_view problem_name(ProblemKind kind);  // "missing-blobs"
int problem_status(ProblemKind kind);             // 409

struct Problem {
  ProblemKind kind = ProblemKind::internal;
  std::string detail;    // For a person.
  json::Object members;  // The members in braces above.
};

// The JSON body: type, title, status, detail, members.
std::string write_problem(const Problem& problem);
// A body as it came, from whoever answered; unknown members stay in `members`. Errc::invalid for
// anything that is not one of ours.
Result<Problem> parse_problem(std::string_view body);

}  // namespace vouch
