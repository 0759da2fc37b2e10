// SPDX-License-Identifier: Apache-2.0
#include "store/http.h"

namespace vouch::store {
namespace {

constexpr std::string_view kRetryAfterBusySeconds = "5";
constexpr std::string_view kRetryAfterQuotaSeconds = "600";

}  // namespace

Response to_response(const Problem& problem) {
  Response response;
  response.status = problem_status(problem.kind);
  response.content_type = kProblemMediaType;
  response.body = write_problem(problem);
  if (response.status == 401) response.headers.emplace_back("WWW-Authenticate", "Vouch");
  if (response.status == 429) response.headers.emplace_back("Retry-After", kRetryAfterQuotaSeconds);
  if (response.status == 503) response.headers.emplace_back("Retry-After", kRetryAfterBusySeconds);
  return response;
}

Problem busy_problem(std::string detail) {
  return {ProblemKind::busy, std::move(detail), {}};
}

// What went wrong inside is for the operator's log, not for whoever asks.
Problem internal_problem() {
  return {ProblemKind::internal, "see the log of the store", {}};
}

}  // namespace vouch::store
