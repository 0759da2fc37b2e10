// SPDX-License-Identifier: Apache-2.0
// One parcel, with the receipts and keys that came along: selective mode. Proves what is shown,
// and nothing of what is not.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/encoding.h"
#include "proto/parcel.h"
#include "proto/receipt.h"
#include "proto/verify/chain_walk.h"
#include "proto/verify/verifier.h"

namespace vouch::verify {
namespace {

Failure fail(std::string_view reason, std::string_view where, std::string detail) {
  return {std::string(reason), std::string(where), std::move(detail)};
}

// Takes what the receipts prove: the bundle's leaf, and keys by their id.
class Receipts {
 public:
  std::optional<Failure> take(const std::string& receipt, const policy_file::Policy& policy) {
    const auto where = fmt::format("receipt {}", ++number_);
    auto result = receipt::open(receipt, policy);
    if (result.verdict != receipt::Verdict::accepted) {
      return fail("receipt", where,
                  fmt::format("{}: {}", receipt::to_string(result.verdict), result.detail));
    }
    if (!policy_file::quorum_met(policy, result.opened->checkpoint.witnesses)) {
      return fail("quorum", where, fmt::format("quorum {} is not met", policy.quorum));
    }
    const auto& body = result.opened->leaf.body;
    if (const auto* enrol = std::get_if<leaf::Enrol>(&body)) {
      add_key(enrol->agent, 0, enrol->key);
      machines_.emplace(enrol->agent, enrol->machine);
    }
    if (const auto* rotate = std::get_if<leaf::Rotate>(&body)) {
      add_key(rotate->agent, rotate->epoch, rotate->key);
    }
    opened_.push_back(*std::move(result.opened));
    return std::nullopt;
  }

  // The receipt whose leaf is this bundle.
  [[nodiscard]] const receipt::Opened* find(std::string_view id) const {
    for (const auto& opened : opened_) {
      const auto* bundle = std::get_if<leaf::Bundle>(&opened.leaf.body);
      if (bundle != nullptr && bundle->id == id) return &opened;
    }
    return nullptr;
  }
  // The root that a receipt's checkpoint gives to a size of a log.
  [[nodiscard]] std::optional<merkle::Hash> root_of(std::string_view origin,
                                                    std::uint64_t size) const {
    for (const auto& opened : opened_) {
      const auto& head = opened.checkpoint.checkpoint;
      if (head.origin == origin && head.size == size) return head.root;
    }
    return std::nullopt;
  }
  [[nodiscard]] bool has_bundle() const {
    for (const auto& opened : opened_) {
      if (std::holds_alternative<leaf::Bundle>(opened.leaf.body)) return true;
    }
    return false;
  }
  // Keys that the log gives to an agent, each for one epoch.
  struct Key {
    std::string agent;
    std::int64_t epoch = 0;
    PublicKey key;
  };
  [[nodiscard]] const std::vector<Key>& keys() const { return keys_; }
  // The machine that the agent was enrolled on, if that receipt is here.
  [[nodiscard]] std::optional<std::string> machine_of(const std::string& agent) const {
    const auto found = machines_.find(agent);
    if (found == machines_.end()) return std::nullopt;
    return found->second;
  }

 private:
  void add_key(const std::string& agent, std::int64_t epoch, const std::string& spki_base64) {
    auto key = PublicKey::from_spki(base64_decode(spki_base64).value_or(""));
    if (key) keys_.push_back({agent, epoch, *std::move(key)});
  }
  std::vector<receipt::Opened> opened_;
  std::vector<Key> keys_;
  std::map<std::string, std::string> machines_;
  int number_ = 0;
};

struct Candidate {
  std::string agent;  // Empty: whoever the bundle says; the caller vouches for the key.
  std::int64_t epoch = 0;
  PublicKey key;
};

// The key to try: one that was handed in, or the one of the agent in the log that `keyid` names.
std::optional<Candidate> pick_key(const ParcelInput& input, const Receipts& receipts,
                                  std::string_view keyid) {
  if (!input.spki.empty()) {
    if (auto key = PublicKey::from_spki(input.spki)) return Candidate{"", 0, *std::move(key)};
    return std::nullopt;
  }
  for (const auto& one : receipts.keys()) {
    if (keyid.empty() || one.key.keyid() == keyid) {
      return Candidate{one.agent, one.epoch, one.key};
    }
  }
  return std::nullopt;
}

// That the tree which the host saw is a prefix of the log at the receipt, if that can be known
// here.
std::optional<Failure> check_prefix(const checkpoint::Checkpoint& seen,
                                    const checkpoint::Checkpoint& head, const Receipts& receipts,
                                    const ParcelInput& input, Verdict& verdict) {
  const auto known = receipts.root_of(seen.origin, seen.size);
  if (known && *known != seen.root) {
    return fail("log-fork", "envelope.json",
                fmt::format("the log showed this host another tree of size {}", seen.size));
  }
  if (!input.consistency) {
    verdict.not_checked.push_back(fmt::format(
        "that the log of size {} which the host saw is a prefix of the one of the receipt: hand in "
        "--consistency, or verify the whole log",
        seen.size));
    return std::nullopt;
  }
  const auto proof = receipt::parse_consistency(*input.consistency);
  if (!proof) return fail("consistency", "consistency", proof.error().message);
  if (proof->old_size != seen.size) {
    return fail("consistency", "consistency",
                fmt::format("it is from size {}, the host saw {}", proof->old_size, seen.size));
  }
  const auto ok =
      merkle::verify_consistency(seen.size, head.size, proof->proof, seen.root, head.root);
  if (!ok) return fail("consistency", "consistency", ok.error().message);
  return std::nullopt;
}

// log_seen, as far as one bundle shows it; what only the whole log shows is said to be open.
std::optional<Failure> check_seen(const Bundle& bundle, const receipt::Opened* receipt,
                                  const Receipts& receipts, const ParcelInput& input,
                                  const policy_file::Policy& policy, Verdict& verdict) {
  if (!bundle.log_seen) return std::nullopt;
  const auto& [origin, signed_size, root_base64, sig] = *bundle.log_seen;
  const auto log = std::ranges::find(policy.logs, origin,
                                     [](const policy_file::Log& one) { return one.key.name; });
  if (log == policy.logs.end()) {
    verdict.not_checked.push_back(
        fmt::format("log_seen: the key of {} is not in the policy file", origin));
    return std::nullopt;
  }
  auto root = base64_decode(root_base64);
  if (!root || signed_size < 0) return fail("log-seen", "envelope.json", "it is no checkpoint");
  const checkpoint::Checkpoint seen{origin, static_cast<std::uint64_t>(signed_size),
                                    *std::move(root)};
  const auto ok = checkpoint::verify_seen(seen, sig, log->key);
  if (!ok) return fail("log-seen", "envelope.json", ok.error().message);
  if (receipt == nullptr || receipt->checkpoint.checkpoint.origin != origin) {
    verdict.not_checked.push_back(
        fmt::format("where the log of size {} which the host saw stands: no receipt of {} is here",
                    seen.size, origin));
    return std::nullopt;
  }
  if (seen.size > receipt->index) {
    return fail("log-seen", "envelope.json",
                "it saw a log that was larger than its own place in it");
  }
  if (seen.size == 0) return std::nullopt;
  return check_prefix(seen, receipt->checkpoint.checkpoint, receipts, input, verdict);
}

// Runs the checks on a parcel that is open; failures of its content are the host's.
void check_bundle_of(const ParcelInput& input, const Options& options,
                     const policy_file::Policy& policy, const Receipts& receipts, Parcel parcel,
                     Verdict& verdict) {
  const auto envelope = dsse::parse(parcel.envelope);
  if (!envelope) {
    verdict.failures.push_back(fail("envelope", "envelope.json", envelope.error().message));
    return;
  }
  const auto candidate = pick_key(input, receipts, envelope->keyid);
  if (!candidate) {
    verdict.failures.push_back(
        fail("unknown-key", "envelope.json",
             "no key to check it with: hand in the agent's public key, or the receipt of its "
             "enrolment"));
    return;
  }
  auto opened = open_bundle(parcel.envelope, "envelope.json", "", "", candidate->key);
  if (opened.failure) {
    verdict.failures.push_back(*opened.failure);
    return;
  }
  const auto& bundle = opened.statement.bundle;
  if (!candidate->agent.empty() && candidate->agent != bundle.agent.id) {
    verdict.failures.push_back(fail("agent", "envelope.json", "the key is that of another agent"));
    return;
  }
  if (!candidate->agent.empty() && candidate->epoch != bundle.epoch) {
    verdict.failures.push_back(fail("epoch", "envelope.json", "the key is that of another epoch"));
    return;
  }
  const auto machine = receipts.machine_of(bundle.agent.id);
  if (machine && *machine != bundle.agent.machine) {
    verdict.failures.push_back(
        fail("machine", "envelope.json", "sealed on another machine than the one enrolled"));
    return;
  }

  std::optional<ChainWalk::Place> place;
  const auto* receipt = receipts.find(opened.id);
  if (receipt != nullptr) {
    const auto& leaf = std::get<leaf::Bundle>(receipt->leaf.body);
    verdict.logged = true;
    verdict.checkpoint = receipt->checkpoint.checkpoint;
    place = ChainWalk::Place{leaf.prev, receipt->leaf.at, receipt->index, 0, receipt->index};
    if (leaf.agent != bundle.agent.id || leaf.seq != bundle.seq ||
        leaf.keyid != candidate->key.keyid() || leaf.sig != base64_encode(envelope->signature)) {
      verdict.failures.push_back(
          fail("receipt", "envelope.json", "the receipt is not of this bundle"));
      return;
    }
  } else if (receipts.has_bundle()) {
    verdict.failures.push_back(fail("receipt", "envelope.json", "no receipt is of this bundle"));
    return;
  }

  if (auto failure = check_seen(bundle, receipt, receipts, input, policy, verdict)) {
    verdict.failures.push_back(*std::move(failure));
    return;
  }

  std::map<std::string, std::string, std::less<>> bytes;
  for (auto& blob : parcel.blobs) {
    if (!opened.statement.has_subject(blob.sha256)) {
      verdict.failures.push_back(fail("blob", "blobs/" + blob.sha256, "no subject of the bundle"));
      return;
    }
    bytes.emplace(blob.sha256, std::move(blob.bytes));
  }
  Blobs blobs(
      [&](std::string_view sha256) -> Result<std::string> {
        const auto found = bytes.find(sha256);
        if (found == bytes.end()) return Error{Errc::not_found, "not in the parcel"};
        return found->second;
      },
      1);
  AgentTimeline timeline;
  timeline.agent = bundle.agent.id;
  timeline.enrol.machine = bundle.agent.machine;
  timeline.epochs.push_back({0, candidate->key});
  Logs none;
  Context context{options, none, blobs, verdict};
  context.withheld_allowed = true;
  ChainWalk walk(context, timeline);
  walk.start_at(bundle, candidate->key.spki());
  auto failure = walk.take(opened, place);
  auto host = walk.finish();
  host.name = bundle.agent.host;
  host.failure = std::move(failure);
  verdict.hosts.push_back(std::move(host));
  verdict.counts.blobs = blobs.count();
  verdict.counts.blob_bytes = blobs.bytes();
}

}  // namespace

Verdict verify_parcel(const ParcelInput& input, const Options& options) {
  Verdict verdict;
  verdict.mode = Mode::selective;
  verdict.replayed = options.replayer != nullptr;
  verdict.not_checked.emplace_back(
      "the chain before and after the bundle, and that no revoke, fork or overdue leaf speaks of "
      "its "
      "host: only the whole log shows that");
  policy_file::Policy policy;
  if (options.policy) {
    auto parsed = policy_file::parse(*options.policy);
    if (!parsed) {
      verdict.failures.push_back(fail("policy", "policy file", parsed.error().message));
      return verdict;
    }
    policy = *std::move(parsed);
  } else if (!input.receipts.empty()) {
    verdict.failures.push_back(fail("policy", "policy file",
                                    "a receipt proves nothing without the log's key: hand it in"));
    return verdict;
  }
  Receipts receipts;
  for (const auto& receipt : input.receipts) {
    if (auto failure = receipts.take(receipt, policy)) {
      verdict.failures.push_back(*std::move(failure));
      return verdict;
    }
  }
  auto parcel = read_parcel(input.parcel);
  if (!parcel) {
    verdict.failures.push_back(fail("parcel", "parcel", parcel.error().message));
    return verdict;
  }
  check_bundle_of(input, options, policy, receipts, *std::move(parcel), verdict);
  return verdict;
}

}  // namespace vouch::verify
