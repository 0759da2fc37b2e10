// SPDX-License-Identifier: Apache-2.0
#include "proto/receipt.h"

#include <utility>

#include <fmt/format.h>

namespace vouch::receipt {
namespace {

OpenResult refuse(Verdict verdict, std::string detail) {
  return {verdict, std::move(detail), std::nullopt};
}

// Rule (5): the new tree is at least as large, and continues the accepted one.
Status check_continues(const checkpoint::Checkpoint& accepted, const checkpoint::Checkpoint& next,
                       const std::optional<std::string>& consistency) {
  const auto behind = [](std::string message) { return Error{Errc::invalid, std::move(message)}; };
  if (accepted.origin != next.origin) return behind("the accepted checkpoint is of another log");
  if (next.size < accepted.size) {
    return behind(fmt::format("size {} is below the accepted {}", next.size, accepted.size));
  }
  if (accepted.size == 0) return Ok{};
  if (next.size == accepted.size) {
    return merkle::verify_consistency(accepted.size, next.size, {}, accepted.root, next.root);
  }
  if (!consistency) return behind("no consistency proof");
  auto proof = parse_consistency(*consistency);
  if (!proof) return std::move(proof).error();
  if (proof->old_size != accepted.size) {
    return behind(
        fmt::format("consistency proof from size {}, not from {}", proof->old_size, accepted.size));
  }
  return merkle::verify_consistency(accepted.size, next.size, proof->proof, accepted.root,
                                    next.root);
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::accepted:
      return "accepted";
    case Verdict::malformed:
      return "malformed";
    case Verdict::foreign:
      return "foreign";
    case Verdict::bad_signature:
      return "bad-signature";
    case Verdict::bad_inclusion:
      return "bad-inclusion";
    case Verdict::behind:
      return "behind";
    case Verdict::no_quorum:
      return "no-quorum";
  }
  return "malformed";
}

OpenResult open(std::string_view receipt, const policy_file::Policy& policy) {
  auto parsed = parse(receipt);
  if (!parsed) return refuse(Verdict::malformed, parsed.error().message);
  if (!parsed->extra) return refuse(Verdict::malformed, "no extra line: the entry is missing");
  auto entry = leaf::parse(*parsed->extra);
  if (!entry) return refuse(Verdict::malformed, entry.error().message);
  auto note = note::parse_note(parsed->checkpoint);
  if (!note) return refuse(Verdict::malformed, note.error().message);
  auto text = checkpoint::parse_text(note->text);
  if (!text) return refuse(Verdict::malformed, text.error().message);

  const policy_file::Log* log = nullptr;
  for (const auto& one : policy.logs) {
    if (one.key.name == text->origin) log = &one;
  }
  if (log == nullptr) {
    return refuse(Verdict::bad_signature, fmt::format("{} is no pinned log", text->origin));
  }
  auto opened = checkpoint::open(parsed->checkpoint, log->key, policy.witness_keys());
  if (!opened) return refuse(Verdict::bad_signature, opened.error().message);

  auto included = merkle::verify_inclusion(parsed->index, opened->checkpoint.size,
                                           merkle::leaf_hash(*parsed->extra), parsed->proof,
                                           opened->checkpoint.root);
  if (!included) return refuse(Verdict::bad_inclusion, included.error().message);
  return {Verdict::accepted, "",
          Opened{*std::move(entry), *std::move(parsed->extra), parsed->index, *std::move(opened)}};
}

Acceptance accept(std::string_view receipt, const Expected& expected,
                  const policy_file::Policy& policy,
                  const std::optional<checkpoint::Checkpoint>& accepted,
                  const std::optional<std::string>& consistency) {
  auto result = open(receipt, policy);
  if (result.verdict != Verdict::accepted) return {result.verdict, result.detail, std::nullopt};
  const auto& opened = *result.opened;

  const auto* bundle = std::get_if<leaf::Bundle>(&opened.leaf.body);
  if (bundle == nullptr || bundle->agent != expected.agent || bundle->seq != expected.seq ||
      bundle->id != expected.id || bundle->prev != expected.prev ||
      bundle->keyid != expected.keyid) {
    return {Verdict::foreign,
            fmt::format("the entry is not the bundle leaf of seq {}", expected.seq), std::nullopt};
  }
  if (accepted) {
    auto continues = check_continues(*accepted, opened.checkpoint.checkpoint, consistency);
    if (!continues) return {Verdict::behind, continues.error().message, std::move(result.opened)};
  }
  if (!policy_file::quorum_met(policy, opened.checkpoint.witnesses)) {
    return {Verdict::no_quorum, fmt::format("quorum {} is not met", policy.quorum),
            std::move(result.opened)};
  }
  return {Verdict::accepted, "", std::move(result.opened)};
}

bool convicts(const Contradiction& contradiction, std::string_view accepted_checkpoint,
              const note::VerifierKey& log) {
  const auto older = checkpoint::open(accepted_checkpoint, log);
  const auto newer = checkpoint::open(contradiction.checkpoint, log);
  if (!older || !newer) return false;
  if (older->checkpoint.size != contradiction.consistency.old_size) return false;
  return merkle::contradicts(older->checkpoint.size, newer->checkpoint.size,
                             contradiction.consistency.proof, older->checkpoint.root,
                             newer->checkpoint.root);
}

bool proves_fork(std::string_view receipt, const policy_file::Policy& policy,
                 std::string_view agent, std::int64_t own_seq, std::string_view own_id) {
  const auto result = open(receipt, policy);
  if (result.verdict != Verdict::accepted) return false;
  const auto* bundle = std::get_if<leaf::Bundle>(&result.opened->leaf.body);
  return bundle != nullptr && bundle->agent == agent && bundle->seq == own_seq &&
         bundle->id != own_id;
}

}  // namespace vouch::receipt
