// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/sealer.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/digest.h"
#include "core/log.h"
#include "proto/chain.h"
#include "proto/collector_protocol.h"
#include "proto/dsse.h"
#include "proto/limits.h"
#include "proto/names.h"
#include "proto/subjects.h"

namespace vouch::agent {
namespace {

constexpr WallMs kSameAsMsMax = WallMs{24} * 3600 * 1000;
constexpr std::int64_t kMicrosPerMs = 1000;
constexpr std::int64_t kSecondsOfDay = 86400;
// A heartbeat comes this much before the moment that was promised.
constexpr std::int64_t kHeartbeatLeadSecondsMax = 30;

template <typename Kind>
bool is_last_kind(const std::vector<Record>& records) {
  return !records.empty() && std::holds_alternative<Kind>(records.back());
}

// What is on record of a run whose content cannot be sealed.
RunFailed as_failed(const Observation& run, Violation reason, std::string message) {
  RunFailed failed;
  static_cast<RunTimes&>(failed) = run;
  if (reason == Violation::crash) {
    failed.started.reset();
    failed.duration_ms.reset();
  }
  if (const auto* content = std::get_if<RunContent>(&run.content)) {
    failed.collector = content->collector;
  }
  failed.reason = to_string(reason);
  failed.message = std::move(message);
  return failed;
}

// The observation that a same_as may name, for each collector; moves on while a bundle is made.
struct Base {
  std::int64_t seq = -1;
  std::string run, digest;
  WallMs sealed = 0;
};

}  // namespace

// A bundle in the making.
struct Sealer::Draft {
  WallMs sealed = 0;
  WallMs to = 0;
  std::vector<WaitingRecord> waiting;  // What it takes from the ledger, in order.
  std::vector<Record> records;         // What it will say; may have key-rotate at its end.
  std::map<std::string, Base> bases;   // After the records taken.
  std::map<std::string, Base> bases_before;
  std::vector<std::string> blobs;
  bool adds_rotation = false;
};

Sealer::Sealer(State& state, const Clock& clock, SealerOptions options)
    : state_(state), clock_(clock), options_(std::move(options)) {}

// Both by the boot clock: the wall clock may be set, and must neither stop nor hurry the seals.
Result<std::int64_t> Sealer::due_us() {
  const std::int64_t now_us = clock_.boot_us();
  const WallMs now = clock_.wall_ms();
  auto head = state_.ledger.chain_head();
  if (!head) return std::move(head).error();
  const ChainLink link = *head ? (*head)->link : ChainLink();

  const std::int64_t lead = std::min(kHeartbeatLeadSecondsMax, options_.heartbeat_s / 10);
  const std::int64_t period_us = (options_.heartbeat_s - lead) * 1000 * kMicrosPerMs;
  std::int64_t heartbeat_us = last_seal_us_.value_or(now_us) + period_us;
  if (!last_seal_us_) {
    const WallMs since = now - link.sealed;
    // Sealed in the future: the clock went back. Then what was promised is now.
    heartbeat_us = since < 0 ? now_us : heartbeat_us - since * kMicrosPerMs;
  }
  auto due = state_.waiting.urgent_due();
  if (!due) return std::move(due).error();
  if (!*due) return heartbeat_us;
  // A run whose tick lies beyond the period (the clock went back) waits for its time.
  const WallMs early = std::max<WallMs>(**due + 1 - std::max(now, link.period_to), 0);
  const std::int64_t soon_us =
      std::max(now_us + std::min(early, kSecondsOfDay * 1000) * kMicrosPerMs,
               last_seal_us_ ? *last_seal_us_ + kSealGapMs * kMicrosPerMs : now_us);
  return std::min(soon_us, heartbeat_us);
}

bool Sealer::rotation_is_due(const ChainHead& head, WallMs now) const {
  return rotation_asked_ || head.bundles_in_epoch + 1 >= options_.rotate_bundles ||
         now - head.epoch_since >= options_.rotate_s * 1000;
}

// Takes what may be sealed: nothing whose tick lies beyond the period (the clock went back), and
// nothing after a record that closes its bundle.
Result<Sealer::Draft> Sealer::gather(const ChainHead& head, WallMs now) {
  Draft draft;
  draft.sealed = now;
  draft.to = std::max(head.link.period_to, now);
  auto waiting = state_.waiting.list(kRecordsMax - 1);
  if (!waiting) return std::move(waiting).error();
  for (WaitingRecord& record : *waiting) {
    if (record.due >= draft.to) continue;
    const bool closes = std::holds_alternative<ConfigChange>(record.record);
    if (closes) {
      if (auto done = leave_nothing_open(head, draft); !done) return std::move(done).error();
    }
    draft.waiting.push_back(std::move(record));
    if (closes) break;
  }
  auto states = state_.waiting.collectors();
  if (!states) return std::move(states).error();
  for (const CollectorState& state : *states) {
    draft.bases_before[state.name] = {state.base_seq, state.base_run, state.base_digest,
                                      state.base_sealed};
  }
  return draft;
}

Result<std::vector<ScheduleEntry>> Sealer::schedule_by(std::string_view config) {
  auto blob = state_.read_blob(config);
  if (!blob) return std::move(blob).error();
  return schedule_of_config(*blob);
}

// The last bundle under a schedule has a record for each of its ticks: one left open would meet the
// numbers of the next schedule (docs/formats/records.md).
Status Sealer::leave_nothing_open(const ChainHead& head, Draft& draft) {
  auto config = state_.ledger.get(kConfigInForce);
  if (!config) return std::move(config).error();
  auto schedule = schedule_by(config->value_or(""));
  if (!schedule) return std::move(schedule).error();
  std::vector<Record> records;
  for (const WaitingRecord& waiting : draft.waiting) records.push_back(waiting.record);
  const auto open = open_ticks(*schedule, head.link.period_to, draft.to, head.link.open, records);
  for (RunMissed& missed : missed_of(open, draft.sealed)) {
    draft.waiting.emplace_back().record = std::move(missed);
  }
  return Ok{};
}

// A record as it is sealed: an observation equal to its base says so instead of repeating it.
Result<Record> Sealer::to_sealed(const ChainHead& head, Draft& draft, std::size_t index) {
  const WallMs now = draft.sealed;
  const WaitingRecord& waiting = draft.waiting[index];
  const auto* observation = std::get_if<Observation>(&waiting.record);
  if (observation == nullptr) return waiting.record;
  const auto id = parse_run_id(observation->run);
  if (!id) return Error{Errc::corrupt, "agent.db: a waiting record has no run id"};
  Base& base = draft.bases[id->collector];
  const bool fresh = base.seq >= 0 && now >= base.sealed && now - base.sealed <= kSameAsMsMax;
  if (!waiting.full && fresh && base.digest == waiting.content_digest) {
    Observation same = *observation;
    same.content = SameAs{base.seq, base.run};
    return Record(std::move(same));
  }
  base.run = observation->run;
  base.digest = waiting.content_digest;
  base.sealed = now;
  base.seq = head.link.next_seq;
  return waiting.record;
}

// Records whose blobs are lost, and which nobody could read therefore, are not sealed as they were:
// a run counts as failed, anything else becomes a record of the loss. True if there was one.
Result<bool> Sealer::replace_unreadable(const ChainHead& head, Draft& draft) {
  bool any = false;
  for (WaitingRecord& waiting : draft.waiting) {
    auto blobs = state_.blobs_of(waiting.record);
    if (blobs || !is_lost(blobs.error())) continue;
    any = true;
    log::error("seal: " + std::string(kind_of(waiting.record)) + ": " + blobs.error().message);
    if (const auto* run = std::get_if<Observation>(&waiting.record)) {
      waiting.record = as_failed(*run, Violation::crash, "its outcomes are lost on the disk");
      continue;
    }
    SpoolDrop lost;
    lost.at = draft.sealed;
    lost.first_seq = head.link.next_seq;
    lost.last_seq = head.link.next_seq;
    if (const auto* change = std::get_if<PolicyChange>(&waiting.record)) {
      lost.sha256 = {change->from, change->to};
    }
    lost.by = "vouchd";
    lost.reason = std::string(kind_of(waiting.record)) + ": what it names is lost on the disk";
    waiting.record = std::move(lost);
  }
  return any;
}

Result<Statement> Sealer::make_statement(const ChainHead& head, const Draft& draft) {
  Statement statement;
  Bundle& bundle = statement.bundle;
  auto config = state_.ledger.get(kConfigInForce);
  if (!config) return std::move(config).error();
  if (!*config) return Error{Errc::corrupt, "agent.db: no configuration in force"};
  auto schedule = schedule_by(**config);
  if (!schedule) return std::move(schedule).error();

  const ChainLink& link = head.link;
  bundle.agent = {link.agent, options_.host.host, link.machine, VOUCH_VERSION, options_.executable};
  bundle.seq = link.next_seq;
  bundle.prev = link.prev;
  bundle.epoch = link.epoch;
  bundle.period_from = link.period_to;
  bundle.period_to = draft.to;
  bundle.boot_id = options_.host.boot_id;
  bundle.boot_us = clock_.boot_us();
  if (bundle.boot_id == link.boot_id) bundle.boot_us = std::max(bundle.boot_us, link.boot_us + 1);
  bundle.sealed = draft.sealed;
  const ClockTrust trust = read_clock_trust();
  bundle.clock_synced = trust.synced;
  bundle.clock_source = trust.source;
  bundle.clock_error_us = trust.error_us;
  bundle.config = **config;
  bundle.records = draft.records;
  bundle.schedule =
      count_schedule(*schedule, bundle.period_from, bundle.period_to, link.open, bundle.records);
  bundle.next_due = bundle.sealed + options_.heartbeat_s * 1000;
  auto accepted = state_.ledger.accepted_checkpoint();
  if (!accepted) return std::move(accepted).error();
  if (*accepted) bundle.log_seen = (*accepted)->seen;
  if (bundle.seq == 0) bundle.enrolment = state_.identity.enrolment;

  auto mentions = all_blobs(bundle, [&](std::string_view sha) { return state_.read_blob(sha); });
  if (!mentions) return std::move(mentions).error();
  statement.subject = name_subjects(*std::move(mentions));
  return statement;
}

// Halves the records until the bundle is within all limits.
Result<Statement> Sealer::make_fitting(const ChainHead& head, Draft& draft) {
  std::size_t count = draft.waiting.size();
  for (;;) {
    draft.records.clear();
    draft.bases = draft.bases_before;
    draft.waiting.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      auto record = to_sealed(head, draft, i);
      if (!record) return std::move(record).error();
      draft.records.push_back(*std::move(record));
    }
    if (auto rotated = add_rotation(head, draft); !rotated) return std::move(rotated).error();
    auto statement = make_statement(head, draft);
    if (!statement && is_lost(statement.error())) {
      auto replaced = replace_unreadable(head, draft);
      if (!replaced) return std::move(replaced).error();
      if (*replaced) continue;
    }
    if (!statement) return statement;
    std::int64_t bytes = 0;
    for (const Subject& subject : statement->subject) {
      auto size = state_.bundles.blob_bytes(subject.sha256);
      if (!size) return std::move(size).error();
      bytes += *size;
    }
    const bool fits = statement->subject.size() <= kSubjectsMax &&
                      bytes <= static_cast<std::int64_t>(kBundleBlobBytesMax);
    auto payload = fits ? write_statement(*statement)
                        : Result<std::string>(Error{Errc::too_large, "bundle: too many blobs"});
    if (payload) return statement;
    if (payload.error().code != Errc::too_large) return std::move(payload).error();
    if (count > 1) {
      count /= 2;
      continue;
    }
    const auto* run = std::get_if<Observation>(&draft.waiting.at(0).record);
    if (run == nullptr) return std::move(payload).error();
    log::error("seal: " + run->run + " alone is more than a bundle holds");
    draft.waiting[0].record =
        as_failed(*run, Violation::output_too_large, "what it yielded does not fit a bundle");
  }
}

Status Sealer::add_rotation(const ChainHead& head, Draft& draft) {
  const WallMs now = draft.sealed;
  draft.adds_rotation = false;
  if (!rotation_is_due(head, now) || is_last_kind<ConfigChange>(draft.records)) return Ok{};
  auto key_old = PublicKey::from_spki(head.link.spki);
  if (!key_old) return std::move(key_old).error();
  auto key_new = state_.keys.make(head.link.epoch + 1);
  if (!key_new) return std::move(key_new).error();
  auto rotate = make_key_rotate(now, head.link.agent, head.link.epoch + 1, *key_old, *key_new);
  if (!rotate) return std::move(rotate).error();
  draft.records.emplace_back(*std::move(rotate));
  draft.adds_rotation = true;
  return Ok{};
}

// What a store would refuse is not signed in the first place: a fault here is ours.
Status Sealer::check(const ChainHead& head, const Statement& statement) {
  auto schedule = schedule_by(statement.bundle.config);
  if (!schedule) return std::move(schedule).error();
  auto fault = check_link(head.link, statement);
  if (!fault) fault = check_schedule(head.link, statement, *schedule);
  if (!fault) return Ok{};
  return Error{Errc::corrupt, "seal: " + fault->reason + ": " + fault->message};
}

Status Sealer::commit(const ChainHead& head, const Draft& draft, const Statement& statement) {
  auto payload = write_statement(statement);
  if (!payload) return std::move(payload).error();
  auto key = state_.keys.load(head.link.epoch);
  if (!key) return std::move(key).error().in("signing key");
  auto envelope = dsse::sign(*key, *std::move(payload));
  if (!envelope) return std::move(envelope).error();

  const Bundle& bundle = statement.bundle;
  SealedBundle sealed;
  sealed.seq = bundle.seq;
  sealed.id = dsse::bundle_id(*envelope);
  sealed.prev = bundle.prev;
  sealed.keyid = key->keyid();
  sealed.epoch = bundle.epoch;
  sealed.rotates = draft.adds_rotation;
  sealed.sealed = bundle.sealed;
  sealed.envelope = dsse::write(*envelope);

  ChainHead next = head;
  next.link = link_after(statement, sealed.id, head.link.spki);
  next.next_due = bundle.next_due;
  next.bundles_in_epoch = draft.adds_rotation ? 0 : head.bundles_in_epoch + 1;
  if (draft.adds_rotation) next.epoch_since = bundle.sealed;
  std::vector<std::string> blobs;
  for (const Subject& subject : statement.subject) blobs.push_back(subject.sha256);

  return state_.ledger.transaction(bundle.sealed, [&]() -> Status {
    if (auto added = state_.bundles.add(sealed, blobs); !added) return added;
    for (const WaitingRecord& record : draft.waiting) {
      if (auto removed = state_.waiting.remove(record.id); !removed) return removed;
      const auto* change = std::get_if<ConfigChange>(&record.record);
      if (change == nullptr) continue;
      if (auto set = state_.ledger.set(kConfigInForce, change->to); !set) return set;
    }
    for (const auto& [collector, base] : draft.bases) {
      auto state = state_.waiting.collector(collector);
      if (!state) return std::move(state).error();
      state->base_seq = base.seq;
      state->base_run = base.run;
      state->base_digest = base.digest;
      state->base_sealed = base.sealed;
      if (auto set = state_.waiting.set_collector(*state); !set) return set;
    }
    return state_.ledger.set_chain_head(next);
  });
}

Result<bool> Sealer::seal_one(bool is_heartbeat) {
  auto head = state_.ledger.chain_head();
  if (!head) return std::move(head).error();
  if (!*head) return Error{Errc::corrupt, "agent.db: the chain has no head"};
  const WallMs now = clock_.wall_ms();
  auto draft = gather(**head, now);
  if (!draft) return std::move(draft).error();
  if (draft->waiting.empty()) {
    if (!is_heartbeat) return false;
    WaitingRecord record;
    record.record = Heartbeat{now};
    auto added = state_.ledger.transaction(now, [&] { return state_.waiting.add(record, {}); });
    if (!added) return std::move(added).error();
    draft = gather(**head, now);
    if (!draft) return std::move(draft).error();
  }
  auto statement = make_fitting(**head, *draft);
  if (!statement) return std::move(statement).error().in("seal");
  if (auto good = check(**head, *statement); !good) return std::move(good).error();
  if (auto done = commit(**head, *draft, *statement); !done) return std::move(done).error();
  if (draft->adds_rotation) rotation_asked_ = false;
  last_seal_us_ = clock_.boot_us();
  // The bundle is sealed whatever becomes of its file: a start writes those that are missing.
  if (auto written = state_.write_parcel(statement->bundle.seq); !written) {
    log::error("write parcel: " + written.error().message);
  }
  return true;
}

Result<int> Sealer::seal() {
  auto forked = state_.ledger.get(kForked);
  if (!forked) return std::move(forked).error();
  if (*forked) return Error{Errc::denied, "this chain was forked: enrol again (vouch enroll)"};
  int count = 0;
  for (bool is_heartbeat = true;; is_heartbeat = false) {
    auto sealed = seal_one(is_heartbeat);
    if (!sealed) return std::move(sealed).error();
    if (!*sealed) return count;
    ++count;
  }
}

}  // namespace vouch::agent
