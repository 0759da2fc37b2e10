// SPDX-License-Identifier: Apache-2.0
#include "store/screen.h"

#include <utility>

#include "core/encoding.h"
#include "core/log.h"
#include "proto/chain.h"
#include "proto/limits.h"
#include "proto/subjects.h"
#include "store/http.h"

namespace vouch::store {

Problem storage_problem(const Error& error) {
  log::error("ingest: " + error.message);
  if (error.code == Errc::unavailable) return busy_problem("the index cannot be read now");
  return internal_problem();
}

namespace {

Problem bad_statement(std::string reason, std::string pointer, std::string detail) {
  return {ProblemKind::bad_statement,
          std::move(detail),
          {{"reason", std::move(reason)}, {"pointer", std::move(pointer)}}};
}

// Messages of the reader are "<JSON pointer>: <reason>".
Problem unreadable_statement(const Error& error) {
  const auto colon = error.message.find(": ");
  const bool has_pointer = colon != std::string::npos && error.message.front() == '/';
  return bad_statement(error.code == Errc::too_large ? "too-large" : "form",
                       has_pointer ? error.message.substr(0, colon) : "", error.message);
}

}  // namespace

std::variant<SignedEnvelope, Problem> check_signature(std::string_view bytes, Index& index) {
  auto envelope = dsse::parse(bytes);
  if (!envelope) {
    if (envelope.error().code == Errc::too_large) {
      return Problem{ProblemKind::too_large,
                     envelope.error().message,
                     {{"limit", static_cast<std::int64_t>(kEnvelopeBytesMax)}}};
    }
    return Problem{ProblemKind::malformed,
                   envelope.error().message,
                   {{"reason", "envelope"}, {"member", "envelope.json"}}};
  }
  auto key = index.find_key(envelope->keyid);
  if (!key) return storage_problem(key.error());
  if (!*key) return Problem{ProblemKind::unknown_key, "enrol this agent first", {}};
  auto public_key = PublicKey::from_spki((*key)->spki);
  if (!public_key) return storage_problem(public_key.error());
  if (!dsse::verify(*envelope, *public_key)) {
    return Problem{ProblemKind::bad_signature, "not signed by the key that keyid names", {}};
  }
  std::string id = dsse::bundle_id(*envelope);
  return SignedEnvelope{*std::move(envelope), std::move(id), **std::move(key)};
}

std::optional<Problem> check_quota(const SignedEnvelope& signed_envelope, std::int64_t bytes,
                                   QuotaBook& quotas, WallMs now) {
  auto exceeded = quotas.charge(signed_envelope.key.agent, bytes, now);
  if (!exceeded) return std::nullopt;
  return quota_problem(*exceeded);
}

Problem quota_problem(const QuotaBook::Exceeded& exceeded) {
  return {ProblemKind::quota,
          "more than this agent may send in an hour",
          {{"unit", exceeded.unit}, {"limit", exceeded.limit}}};
}

std::variant<Statement, Problem> check_statement(const SignedEnvelope& signed_envelope,
                                                 const CompatAnswer& compat) {
  auto statement = parse_statement(signed_envelope.envelope.payload);
  if (!statement) return unreadable_statement(statement.error());
  const auto& bundle = statement->bundle;
  // A key speaks for one agent and one epoch; under any other it has not signed.
  if (bundle.agent.id != signed_envelope.key.agent) {
    return Problem{ProblemKind::bad_signature, "signed with the key of another agent", {}};
  }
  if (bundle.epoch != signed_envelope.key.epoch) {
    return Problem{ProblemKind::bad_signature, "signed with the key of another epoch", {}};
  }
  if (is_revoked(signed_envelope.key, bundle.seq)) {
    return Problem{ProblemKind::revoked, "the key is revoked", {}};
  }
  if (!accepts(compat.compat, bundle.agent.version, bundle.sealed)) {
    return Problem{ProblemKind::upgrade_needed,
                   "sealed by version " + bundle.agent.version + " of the agent",
                   {{"accepts", compat.note}}};
  }
  bool complete = true;
  const auto no_blobs = [](std::string_view) -> Result<std::string> {
    return Error{Errc::not_found, ""};
  };
  auto subjects = check_subjects(*statement, no_blobs, complete);
  if (!subjects) return bad_statement("subjects", "/subject", subjects.error().message);
  return *std::move(statement);
}

bool is_revoked(const AgentKey& key, std::int64_t seq) {
  return key.revoked_from && seq >= *key.revoked_from;
}

Standing check_chain(const Agent& agent, const Statement& statement) {
  const auto& link = agent.link;
  const auto& bundle = statement.bundle;
  if (bundle.seq < link.next_seq) return Forks{bundle.seq};
  if (bundle.seq > link.next_seq) return chain_problem(agent, false, "");
  if (agent.state == AgentState::decommissioned) {
    return Problem{ProblemKind::revoked, "the agent is decommissioned: enrol a new one", {}};
  }
  // At seq 0 there is no bundle yet that a wrong `prev` could contradict.
  if (bundle.prev != link.prev && bundle.seq > 0) return Forks{bundle.seq - 1};
  auto fault = check_link(link, statement);
  if (!fault) return Follows{};
  return bad_statement(fault->reason, "/predicate", fault->message);
}

Problem chain_problem(const Agent& agent, bool fork, std::string proof) {
  Problem problem{
      ProblemKind::chain,
      fork ? "another bundle is on record" : "send the older ones first",
      {{"expected_seq", agent.link.next_seq}, {"expected_prev", agent.link.prev}, {"fork", fork}}};
  if (!proof.empty()) problem.members.emplace("proof", std::move(proof));
  return problem;
}

}  // namespace vouch::store
