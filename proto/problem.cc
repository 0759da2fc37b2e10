// SPDX-License-Identifier: Apache-2.0
#include "proto/problem.h"

#include <array>
#include <utility>

#include <fmt/format.h>

namespace vouch {
namespace {

constexpr std::string_view kTypePrefix = "urn:vouch:problem:";
constexpr std::array<std::string_view, 4> kOwnMembers = {"type", "title", "status", "detail"};

struct KindRow {
  ProblemKind kind;
  std::string_view name;
  int status;
  std::string_view title;
};

constexpr std::array<KindRow, 17> kKinds = {{
    {ProblemKind::malformed, "malformed", 400, "The request is not of its form"},
    {ProblemKind::unknown_key, "unknown-key", 401, "No enrolled agent has this key"},
    {ProblemKind::token, "token", 401, "The token is unknown, used up or expired"},
    {ProblemKind::bad_signature, "bad-signature", 403, "The signature is not by that key"},
    {ProblemKind::revoked, "revoked", 403, "The key is revoked"},
    {ProblemKind::forbidden, "forbidden", 403, "The role for this is missing"},
    {ProblemKind::not_found, "not-found", 404, "There is no such thing"},
    {ProblemKind::missing_blobs, "missing-blobs", 409, "Blobs of the bundle are missing"},
    {ProblemKind::chain, "chain", 409, "The bundle does not continue the chain"},
    {ProblemKind::agent_exists, "agent-exists", 409, "The agent id is enrolled already"},
    {ProblemKind::too_large, "too-large", 413, "A limit is exceeded"},
    {ProblemKind::bad_statement, "bad-statement", 422, "The statement breaks a rule"},
    {ProblemKind::bad_blob, "bad-blob", 422, "A blob is not what its name says"},
    {ProblemKind::upgrade_needed, "upgrade-needed", 422, "The agent's version is not accepted"},
    {ProblemKind::quota, "quota", 429, "The agent's quota is used up"},
    {ProblemKind::busy, "busy", 503, "The store cannot take more now"},
    {ProblemKind::internal, "internal", 500, "The store failed"},
}};

const KindRow& row_of(ProblemKind kind) {
  for (const auto& row : kKinds) {
    if (row.kind == kind) return row;
  }
  return kKinds.back();
}

}  // namespace

std::string_view problem_name(ProblemKind kind) {
  return row_of(kind).name;
}
int problem_status(ProblemKind kind) {
  return row_of(kind).status;
}

std::string write_problem(const Problem& problem) {
  const auto& row = row_of(problem.kind);
  auto object = problem.members;
  object.insert_or_assign("type", std::string(kTypePrefix) + std::string(row.name));
  object.insert_or_assign("title", row.title);
  object.insert_or_assign("status", row.status);
  if (!problem.detail.empty()) object.insert_or_assign("detail", problem.detail);
  return json::write(std::move(object));
}

Result<Problem> parse_problem(std::string_view body) {
  if (body.size() > kProblemBytesMax) return Error{Errc::too_large, "problem over 256 KiB"};
  auto value = json::parse(body);
  if (!value) return std::move(value).error().in("problem");
  auto type = json::get_string(*value, "type");
  if (!type) return std::move(type).error().in("problem");
  for (const auto& row : kKinds) {
    if (!type->starts_with(kTypePrefix) || type->substr(kTypePrefix.size()) != row.name) continue;
    Problem problem{row.kind, "", *value->if_object()};
    if (const auto* detail = value->find("detail"); detail != nullptr && detail->if_string()) {
      problem.detail = *detail->if_string();
    }
    for (const auto member : kOwnMembers) problem.members.erase(std::string(member));
    return problem;
  }
  return Error{Errc::invalid, "problem of an unknown type"};
}

}  // namespace vouch
