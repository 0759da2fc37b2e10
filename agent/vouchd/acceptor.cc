// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/acceptor.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "agent/vouchd/store_trouble.h"
#include "core/digest.h"
#include "core/encoding.h"
#include "core/file.h"
#include "core/json.h"
#include "core/log.h"
#include "core/owner.h"
#include "proto/problem.h"
#include "proto/receipt.h"

namespace vouch::agent {
namespace {

constexpr std::string_view kBehind = "log-behind";

// What HTTP can answer. A record has no place for anything else, and 0 is our own log-behind.
constexpr std::int64_t kStatusMin = 100;
constexpr std::int64_t kStatusMax = 599;

// How the files of one bundle are called, after its ten digits.
constexpr std::string_view kReceipt = ".tlog-proof";
constexpr std::string_view kConsistency = ".consistency";
constexpr std::string_view kContradiction = ".contradiction";
constexpr std::string_view kFork = ".fork";
constexpr std::string_view kRefused = ".refused.json";
constexpr std::string_view kDelivered = ".delivered.json";

constexpr std::string_view kSuccession = "succession";  // Also with ".<old name>" behind it.
constexpr int kSuccessionsMax = 16;

// Nothing, if it is of a log before `origin`: a log starts at its own size.
Result<std::optional<checkpoint::Checkpoint>> to_checkpoint(
    const std::optional<AcceptedCheckpoint>& accepted, const std::string& origin) {
  if (!accepted || accepted->seen.origin != origin) return std::optional<checkpoint::Checkpoint>();
  auto root = base64_decode(accepted->seen.root);
  if (!root) return Error{Errc::corrupt, "agent.db: the accepted checkpoint is damaged"};
  return std::optional(checkpoint::Checkpoint{
      accepted->seen.origin, static_cast<std::uint64_t>(accepted->seen.size), *std::move(root)});
}

AcceptedCheckpoint from_signed(const checkpoint::Signed& signed_checkpoint) {
  const checkpoint::Checkpoint& head = signed_checkpoint.checkpoint;
  return {{head.origin, static_cast<std::int64_t>(head.size), base64_encode(head.root),
           signed_checkpoint.log_signature},
          signed_checkpoint.note};
}

}  // namespace

Result<Acceptor> Acceptor::make(State& state, const Clock& clock, AcceptorOptions options) {
  Acceptor acceptor(state, clock, std::move(options));
  if (state.has_store()) {
    if (auto read = acceptor.read_policy(); !read) return std::move(read).error();
  }
  return acceptor;
}

Status Acceptor::read_policy() {
  auto policy = policy_file::parse(state_.identity.policy);
  if (!policy) return std::move(policy).error().in("agent.db: policy file");
  if (policy->only_log() == nullptr) {
    return Error{Errc::corrupt, "agent.db: the policy file does not name exactly one log"};
  }
  policy_ = *std::move(policy);
  return Ok{};
}

// One after the other: the log may have moved on more than once while nobody listened.
Status Acceptor::take_successions() {
  auto alarm = state_.ledger.get(kLogAlarm);
  if (!alarm) return std::move(alarm).error();
  for (int i = 0; i < kSuccessionsMax && !*alarm; ++i) {
    const std::string& origin = policy_->only_log()->key.name;
    const std::string name = origin.substr(origin.rfind('/') + 1);
    bool followed = false;
    for (const std::string& file : {"." + name, std::string()}) {
      const auto note =
          read_untrusted(options_.receipts_dir + "/" + std::string(kSuccession) + file,
                         options_.ship_uid, receipt::kReceiptBytesMax);
      if (!note || followed) continue;
      auto done = follow_succession(state_, clock_.wall_ms(), *note);
      if (!done) return std::move(done).error();
      followed = *done == Following::followed;
    }
    if (!followed) return Ok{};
    if (auto read = read_policy(); !read) return read;
  }
  return Ok{};
}

std::optional<std::string> Acceptor::read(std::int64_t seq, std::string_view suffix) const {
  return read_untrusted(options_.receipts_dir + "/" + seq_name(seq) + std::string(suffix),
                        options_.ship_uid, receipt::kReceiptBytesMax);
}

Result<int> Acceptor::scan() {
  if (policy_) {
    if (auto taken = take_successions(); !taken) return std::move(taken).error();
  }
  auto waiting = state_.bundles.in_state(BundleState::waiting);
  if (!waiting) return std::move(waiting).error();
  int acknowledged = 0;
  std::size_t looked_at = 0;
  for (const SealedBundle& bundle : *waiting) {
    if (++looked_at > kReceiptsPerScanMax) break;
    auto done = look_at(bundle);
    if (!done) return std::move(done).error();
    if (*done) ++acknowledged;
  }
  if (acknowledged > 0) {
    if (auto erased = state_.erase_old_keys(); !erased) return std::move(erased).error();
  }
  return acknowledged;
}

Result<bool> Acceptor::look_at(const SealedBundle& bundle) {
  auto alarm = state_.ledger.get(kLogAlarm);
  if (!alarm) return std::move(alarm).error();
  if (*alarm) return false;  // The log was convicted: nothing of it counts, nothing is let go.
  if (policy_) {
    if (const auto text = read(bundle.seq, kContradiction)) {
      if (auto taken = take_contradiction(*text); !taken) return std::move(taken).error();
    }
    if (const auto text = read(bundle.seq, kFork)) {
      if (auto taken = take_fork(bundle, *text); !taken) return std::move(taken).error();
    }
    if (const auto text = read(bundle.seq, kReceipt)) return take_receipt(bundle, *text);
  }
  if (const auto text = read(bundle.seq, kDelivered)) {
    auto delivered = take_delivered(bundle, *text);
    if (!delivered || *delivered) return delivered;
  }
  if (const auto text = read(bundle.seq, kRefused)) {
    if (auto taken = take_refusal(bundle, *text); !taken) return std::move(taken).error();
  }
  return false;
}

Result<bool> Acceptor::take_receipt(const SealedBundle& bundle, const std::string& text) {
  auto accepted = state_.ledger.accepted_checkpoint();
  if (!accepted) return std::move(accepted).error();
  auto head = to_checkpoint(*accepted, policy_->only_log()->key.name);
  if (!head) return std::move(head).error();
  if (bundle.acknowledged != 0) {  // Waits again: what it was acknowledged by says nothing new.
    auto before = state_.bundles.receipt(bundle.seq);
    if (!before) return std::move(before).error();
    if (*before == text) return false;
  }
  const receipt::Expected expected{state_.identity.agent, bundle.seq, bundle.id, bundle.prev,
                                   bundle.keyid};
  const auto verdict =
      receipt::accept(text, expected, *policy_, *head, read(bundle.seq, kConsistency));
  if (verdict.verdict == receipt::Verdict::behind) {
    if (auto noted = note_behind(bundle); !noted) return std::move(noted).error();
    return false;
  }
  if (verdict.verdict != receipt::Verdict::accepted) {
    log::warn("receipt of bundle " + std::to_string(bundle.seq) + " not accepted: " +
                  std::string(receipt::to_string(verdict.verdict)) + ": " + verdict.detail,
              {{"event", "receipt-not-accepted"}, {"seq", std::to_string(bundle.seq)}});
    return false;
  }
  auto done = acknowledge(bundle, text, from_signed(verdict.opened->checkpoint));
  if (!done) return std::move(done).error();
  return true;
}

// Ledger first; then the parcel moves, and vouch-ship learns which checkpoint proofs start from.
Status Acceptor::acknowledge(const SealedBundle& bundle, std::string_view receipt,
                             const std::optional<AcceptedCheckpoint>& checkpoint) {
  const WallMs now = clock_.wall_ms();
  auto done = state_.ledger.transaction(now, [&]() -> Status {
    if (auto kept = state_.bundles.acknowledge(bundle.seq, now, receipt); !kept) return kept;
    if (checkpoint) {
      if (auto set = state_.ledger.set_accepted_checkpoint(*checkpoint); !set) return set;
    }
    auto before = state_.ledger.get_integer(kAcknowledgedSeq, -1);
    if (!before) return std::move(before).error();
    return state_.ledger.set_integer(kAcknowledgedSeq, std::max(*before, bundle.seq));
  });
  if (!done) return done;
  if (checkpoint) {
    if (auto written = state_.outbox.write_log_seen(checkpoint->note); !written) return written;
  }
  return state_.outbox.keep(bundle.seq);
}

Status Acceptor::note_behind(const SealedBundle& bundle) {
  const WallMs now = clock_.wall_ms();
  if (bundle.behind_since == 0 || now < bundle.behind_since) {
    return state_.bundles.set_behind_since(bundle.seq, now);
  }
  if (now - bundle.behind_since < kBehindMsMax) return Ok{};
  auto is_new = note_refusal(Refused{now, bundle.seq, 0, std::string(kBehind)});
  if (!is_new) return std::move(is_new).error();
  if (!*is_new) return Ok{};
  log::error("the store's log is behind what it has shown before, for over an hour: bundle " +
                 std::to_string(bundle.seq) + " stays undelivered",
             {{"event", "log-behind"}, {"seq", std::to_string(bundle.seq)}});
  return Ok{};
}

// The word of vouch-ship alone: the copy has the parcel's bytes. No receipt; it counts only where
// there is no store.
Result<bool> Acceptor::take_delivered(const SealedBundle& bundle, const std::string& text) {
  if (!options_.file_is_delivery || policy_) return false;
  const auto value = json::parse(text);
  if (!value) return false;
  const auto seq = json::get_integer(*value, "seq");
  const auto sha256 = json::get_string(*value, "sha256");
  auto parcel = state_.outbox.read(bundle.seq);
  if (!parcel) return std::move(parcel).error();
  if (!seq || !sha256 || *seq != bundle.seq || *sha256 != sha256_hex(*parcel)) return false;
  auto done = acknowledge(bundle, "", std::nullopt);
  if (!done) return std::move(done).error();
  return true;
}

Status Acceptor::take_refusal(const SealedBundle& bundle, const std::string& text) {
  const auto value = json::parse(text);
  if (!value) return Ok{};
  const auto seq = json::get_integer(*value, "seq");
  const auto status = json::get_integer(*value, "status");
  const auto problem = json::get_object(*value, "problem");
  if (!seq || !status || !problem || *seq != bundle.seq) return Ok{};
  if (*status < kStatusMin || *status > kStatusMax) return Ok{};
  const auto parsed = parse_problem(json::write(**problem));
  const std::string name = parsed ? std::string(problem_name(parsed->kind)) : "unknown";

  auto is_new = note_refusal(Refused{clock_.wall_ms(), bundle.seq, *status, name});
  if (!is_new) return std::move(is_new).error();
  if (*is_new) {
    log::error("bundle " + std::to_string(bundle.seq) + " is refused by the store (" +
                   std::to_string(*status) + " " + name + "); it is kept and sent again",
               {{"event", "refused"},
                {"seq", std::to_string(bundle.seq)},
                {"status", std::to_string(*status)}});
  }
  if (parsed && parsed->kind == ProblemKind::missing_blobs) return send_all_blobs(bundle.seq);
  if (parsed && parsed->kind == ProblemKind::chain) {
    const auto expected = json::get_integer(**problem, "expected_seq");
    const auto fork = json::get_bool(**problem, "fork");
    if (!expected || !fork || *fork) return Ok{};  // What a fork is, take_fork() decides.
    auto refilled = refill_store(state_, clock_.wall_ms(), *expected);
    if (!refilled) return std::move(refilled).error();
  }
  return Ok{};
}

// At most one record per seq and status: what is noted is recorded, or neither is.
Result<bool> Acceptor::note_refusal(const Refused& refused) {
  WaitingRecord waiting;
  waiting.record = refused;
  waiting.urgent = true;
  auto known = state_.bundles.knows_refusal(refused.seq, refused.status);
  if (!known) return std::move(known).error();
  if (*known) return false;
  bool is_new = false;
  auto done = state_.ledger.transaction(clock_.wall_ms(), [&]() -> Status {
    auto noted = state_.bundles.note_refusal(refused.seq, refused.status, refused.problem);
    if (!noted) return std::move(noted).error();
    is_new = *noted;
    return is_new ? state_.waiting.add(waiting, {}) : Status(Ok{});
  });
  if (!done) return std::move(done).error();
  return is_new;
}

// Once: the parcel that has all of the bundle's blobs is not written again, however often the store
// (or vouch-ship) says that some are missing.
Status Acceptor::send_all_blobs(std::int64_t seq) {
  auto sends_all = state_.bundles.sends_all_blobs(seq);
  if (!sends_all) return std::move(sends_all).error();
  if (*sends_all) return Ok{};
  auto marked = state_.ledger.transaction(clock_.wall_ms(),
                                          [&] { return state_.bundles.send_all_blobs(seq); });
  if (!marked) return marked;
  return state_.write_parcel(seq);
}

Status Acceptor::take_fork(const SealedBundle& bundle, const std::string& proof) {
  if (!receipt::proves_fork(proof, *policy_, state_.identity.agent, bundle.seq, bundle.id)) {
    return Ok{};
  }
  log::error("the log holds another bundle " + std::to_string(bundle.seq) +
                 " of this agent: the chain is forked; nothing is sealed any more. Enrol again",
             {{"event", "fork"}, {"seq", std::to_string(bundle.seq)}});
  return state_.ledger.set(kForked, proof);
}

Status Acceptor::take_contradiction(const std::string& text) {
  const auto contradiction = receipt::parse_contradiction(text);
  auto accepted = state_.ledger.accepted_checkpoint();
  if (!accepted) return std::move(accepted).error();
  if (!contradiction || !*accepted) return Ok{};
  const auto* log = policy_->only_log();
  if (!receipt::convicts(*contradiction, (*accepted)->note, log->key)) return Ok{};
  log::error("the store's log contradicts itself: log-alarm. Nothing is deleted any more",
             {{"event", "log-alarm"}});
  const LogAlarm alarm{clock_.wall_ms(), (*accepted)->note, contradiction->checkpoint,
                       receipt::write_consistency(contradiction->consistency)};
  WaitingRecord waiting;
  waiting.record = alarm;
  waiting.urgent = true;
  return state_.ledger.transaction(clock_.wall_ms(), [&]() -> Status {
    if (auto added = state_.waiting.add(waiting, {}); !added) return added;
    return state_.ledger.set(kLogAlarm, "1");
  });
}

Status Acceptor::expire() {
  auto alarm = state_.ledger.get(kLogAlarm);
  if (!alarm) return std::move(alarm).error();
  if (*alarm) return Ok{};
  auto kept = state_.bundles.in_state(BundleState::kept);
  if (!kept) return std::move(kept).error();
  std::int64_t bytes = 0;
  for (const SealedBundle& bundle : *kept) bytes += bundle.parcel_bytes;
  const WallMs now = clock_.wall_ms();
  for (const SealedBundle& bundle : *kept) {  // Oldest first.
    const bool old = now - bundle.acknowledged >= options_.kept_ms;
    if (!old && bytes <= options_.kept_bytes_max) break;
    auto done = state_.ledger.transaction(now, [&] { return state_.bundles.expire(bundle.seq); });
    if (!done) return done;
    if (auto dropped = state_.outbox.drop_kept(bundle.seq); !dropped) return dropped;
    bytes -= bundle.parcel_bytes;
  }
  return Ok{};
}

}  // namespace vouch::agent
