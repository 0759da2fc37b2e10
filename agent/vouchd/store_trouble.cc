// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/store_trouble.h"

#include <algorithm>

#include "core/encoding.h"
#include "core/log.h"
#include "proto/note.h"
#include "proto/policy_file.h"
#include "proto/receipt.h"
#include "proto/succession.h"

namespace vouch::agent {
namespace {

constexpr std::string_view kRolledBack = "rolled_back ";  // Then origin and expected seq.

Status add_event(State& state, const Record& record) {
  WaitingRecord waiting;
  waiting.record = record;
  waiting.urgent = true;
  return state.waiting.add(waiting, {});
}

// What was accepted last, if it is of that log.
Result<LogSeen> seen_of(State& state, const std::string& origin) {
  auto accepted = state.ledger.accepted_checkpoint();
  if (!accepted) return std::move(accepted).error();
  if (*accepted && (*accepted)->seen.origin == origin) return (*accepted)->seen;
  return LogSeen{origin, 0, "", ""};
}

// The first acknowledged bundle whose leaf is not below `size`: its receipt proves what is lost.
Result<std::int64_t> first_lost(State& state, std::uint64_t size, std::int64_t acked) {
  auto kept = state.bundles.in_state(BundleState::kept);
  if (!kept) return std::move(kept).error();
  for (const SealedBundle& bundle : *kept) {
    auto text = state.bundles.receipt(bundle.seq);
    if (!text) return std::move(text).error();
    const auto proof = receipt::parse(*text);
    if (proof && proof->index >= size) return bundle.seq;
  }
  return acked + 1;
}

Result<bool> roll_back(State& state, WallMs now, const StoreRollback& record,
                       const std::function<Status()>& with) {
  const std::string key =
      std::string(kRolledBack) + record.origin + " " + std::to_string(record.expected_seq);
  auto known = state.ledger.get(key);
  if (!known) return std::move(known).error();
  auto done = state.ledger.transaction(now, [&]() -> Status {
    if (!*known) {
      if (auto waiting = state.bundles.refill(record.expected_seq); !waiting) return waiting;
      if (auto added = add_event(state, record); !added) return added;
      if (auto set = state.ledger.set(key, "1"); !set) return set;
    }
    return with();
  });
  if (!done) return std::move(done).error();
  if (*known) return false;
  log::error("the store lost bundles that it has acknowledged, from " +
                 std::to_string(record.expected_seq) + " on (store-rollback): they are sent again",
             {{"event", "store-rollback"}, {"seq", std::to_string(record.expected_seq)}});
  if (auto repaired = state.repair_files(); !repaired) return std::move(repaired).error();
  return true;
}

}  // namespace

Result<bool> refill_store(State& state, WallMs now, std::int64_t expected_seq) {
  auto policy = policy_file::parse(state.identity.policy);
  if (!policy) return std::move(policy).error();
  if (policy->only_log() == nullptr) return false;
  auto seen = seen_of(state, policy->only_log()->key.name);
  if (!seen) return std::move(seen).error();
  auto acked = state.ledger.get_integer(kAcknowledgedSeq, -1);
  if (!acked) return std::move(acked).error();
  if (expected_seq < 0 || expected_seq > *acked) return false;
  return roll_back(state, now, {now, seen->origin, seen->size, *acked, expected_seq},
                   [] { return Status(Ok{}); });
}

Result<std::string> with_log(std::string_view policy, const std::string& vkey) {
  std::string out;
  bool found = false;
  while (!policy.empty()) {
    const auto end = std::min(policy.find('\n'), policy.size() - 1);
    std::string line(policy.substr(0, end + 1));
    policy.remove_prefix(end + 1);
    if (line.starts_with("log ") && !found) {
      found = true;
      const auto rest = line.find_first_of(" \n", 4);
      line = "log " + vkey + (rest == std::string::npos ? "" : line.substr(rest));
    }
    out += line;
  }
  auto parsed = policy_file::parse(out);
  if (!parsed) return std::move(parsed).error();
  if (!found || parsed->only_log() == nullptr) {
    return Error{Errc::corrupt, "the policy file does not name exactly one log"};
  }
  return out;
}

Result<Following> follow_succession(State& state, WallMs now, std::string_view note) {
  auto policy = policy_file::parse(state.identity.policy);
  if (!policy) return std::move(policy).error();
  const auto* log = policy->only_log();
  const auto origin = succession::peek_old_origin(note);
  if (log == nullptr || !origin || *origin != log->key.name) return Following::not_for_us;
  const auto opened = succession::open(note, log->key);
  if (!opened) {
    log::warn("succession of the log: " + opened.error().message + "; not followed");
    return Following::refused;
  }
  const checkpoint::Checkpoint& end = opened->statement.end;
  auto seen = seen_of(state, end.origin);
  if (!seen) return std::move(seen).error();
  const auto end_size = static_cast<std::int64_t>(end.size);
  const std::string end_root = base64_encode(end.root);
  if (seen->size == end_size && seen->size > 0 && seen->root != end_root) {
    log::error("succession of the log: it ends with another root than was accepted; not followed");
    return Following::refused;
  }
  const std::string vkey = note::write_vkey(opened->statement.successor);
  auto text = with_log(state.identity.policy, vkey);
  if (!text) return std::move(text).error();
  Identity identity = state.identity;
  identity.policy = *std::move(text);
  const auto follow = [&]() -> Status {
    const LogSuccession record{now, {end.origin, end_size, end_root}, vkey, opened->note};
    if (auto added = add_event(state, record); !added) return added;
    return state.ledger.set_identity(identity);
  };
  if (end_size < seen->size) {
    auto acked = state.ledger.get_integer(kAcknowledgedSeq, -1);
    if (!acked) return std::move(acked).error();
    auto expected = first_lost(state, end.size, *acked);
    if (!expected) return std::move(expected).error();
    auto done = roll_back(state, now, {now, end.origin, seen->size, *acked, *expected}, follow);
    if (!done) return std::move(done).error();
  } else if (auto done = state.ledger.transaction(now, follow); !done) {
    return std::move(done).error();
  }
  state.identity = std::move(identity);
  log::warn(
      "the store's log " + end.origin + " is succeeded by " + opened->statement.successor.name,
      {{"event", "log-succession"}});
  return Following::followed;
}

}  // namespace vouch::agent
