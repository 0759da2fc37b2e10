// SPDX-License-Identifier: Apache-2.0
// The checks of an envelope, before any other byte of its parcel is looked at, in the order that
// the format gives: envelope, key, signature; quota; known id, statement, chain. Each is a function
// of the bytes and of what the index says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/clock.h"
#include "proto/dsse.h"
#include "proto/problem.h"
#include "proto/statement.h"
#include "store/bounds.h"
#include "store/compat.h"
#include "store/index.h"

namespace vouch::store {

// Signed by an enrolled key, and so worth parsing.
struct SignedEnvelope {
  dsse::Envelope envelope;
  std::string id;  // The bundle_id.
  AgentKey key;
};
std::variant<SignedEnvelope, Problem> check_signature(std::string_view bytes, Index& index);

Problem quota_problem(const QuotaBook::Exceeded& exceeded);
std::optional<Problem> check_quota(const SignedEnvelope& signed_envelope, std::int64_t bytes,
                                   QuotaBook& quotas, WallMs now);

// The statement, and whether it is of this key's agent, epoch and of an accepted version.
struct CompatAnswer {
  Compat compat;
  std::string note;
};
std::variant<Statement, Problem> check_statement(const SignedEnvelope& signed_envelope,
                                                 const CompatAnswer& compat);

// What an error of index or disk is called outside; logs it.
Problem storage_problem(const Error& error);

// How a bundle that is not on record stands to its chain.
struct Follows {};
struct Forks {
  std::int64_t seq_on_record = 0;  // Of the bundle that it contradicts.
};
using Standing = std::variant<Follows, Forks, Problem>;
// A key does not sign from the seq on from which it is revoked.
bool is_revoked(const AgentKey& key, std::int64_t seq);
Standing check_chain(const Agent& agent, const Statement& statement);

// 409 `chain`. `proof`: the tlog-proof of the leaf on record, if there is one.
Problem chain_problem(const Agent& agent, bool fork, std::string proof);

}  // namespace vouch::store
