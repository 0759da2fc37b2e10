// SPDX-License-Identifier: Apache-2.0
#include "proto/verify/chain_walk.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/encoding.h"
#include "proto/names.h"

namespace vouch::verify {
namespace {

constexpr WallMs kObservedMsMax = WallMs{48} * 3600 * 1000;  // same_as reaches back 24 h.
constexpr WallMs kClockSlackMs = 2000;

}  // namespace

Opened open_bundle(std::string_view envelope_bytes, std::string_view where, std::string_view id_hex,
                   std::string_view signature, const PublicKey& key) {
  Opened opened;
  const auto fail = [&](std::string reason, std::string detail) {
    opened.failure = Failure{std::move(reason), std::string(where), std::move(detail)};
    return std::move(opened);
  };
  auto envelope = dsse::parse(envelope_bytes);
  if (!envelope) return fail("envelope", envelope.error().message);
  opened.id = dsse::bundle_id(*envelope);
  if (!id_hex.empty() && opened.id != id_hex) {
    return fail("bundle-id", "its bytes are not those that the log holds");
  }
  if (!envelope->keyid.empty() && envelope->keyid != key.keyid()) {
    return fail("keyid", "the envelope names another key than that of its epoch");
  }
  if (!dsse::verify(*envelope, key)) {
    return fail("signature", "it is not signed by the key of its epoch");
  }
  if (!signature.empty() && envelope->signature != signature) {
    return fail("signature", "its signature is not the one that the log holds");
  }
  auto statement = parse_statement(envelope->payload);
  if (!statement) return fail("statement", statement.error().message);
  opened.statement = *std::move(statement);
  return opened;
}

ChainWalk::ChainWalk(Context& context, const AgentTimeline& timeline)
    : context_(context),
      timeline_(timeline),
      link_(first_link(timeline.agent, timeline.enrol.machine, timeline.epochs.front().key.spki())),
      coverage_(context.options.period) {
  host_.agent = timeline.agent;
  where_ = timeline.agent;
  if (timeline.begins_repinned) {
    const auto& repin = timeline.repins.front().leaf;
    link_.next_seq = repin.next_seq;
    link_.prev = repin.prev;
    link_.epoch = repin.epoch;
    link_known_ = repin.next_seq == 0;
  }
}

void ChainWalk::start_at(const Bundle& bundle, std::string spki) {
  link_ = first_link(bundle.agent.id, bundle.agent.machine, std::move(spki));
  link_known_ = bundle.seq == 0;
}

void ChainWalk::set_dropped(std::int64_t seq, std::set<std::string, std::less<>> digests) {
  dropped_[seq] = std::move(digests);
}

Failure ChainWalk::fail(std::string_view reason, std::string detail) const {
  return {std::string(reason), where_, std::move(detail)};
}

void ChainWalk::anomaly(std::string what) {
  context_.verdict.add_anomaly(where_, std::move(what));
}

std::optional<Failure> ChainWalk::check_place(const Opened& opened,
                                              const std::optional<Place>& place) {
  const auto& bundle = opened.statement.bundle;
  if (place && place->prev != bundle.prev) {
    return fail("prev", "the log holds another prev than the bundle");
  }
  if (!link_known_) return is_whole() ? check_begin(bundle) : std::nullopt;
  if (const auto fault = check_link(link_, opened.statement)) {
    return fail(fault->reason, fault->message);
  }
  if (bundle.seq == 0 && is_whole()) {
    const auto& enrolment = bundle.enrolment;
    if (!enrolment || enrolment->statement != timeline_.enrol.statement ||
        static_cast<std::uint64_t>(enrolment->leaf_index) != timeline_.enrol_index) {
      return fail("enrolment", "seq 0 does not name the enrolment that the log holds");
    }
  }
  return std::nullopt;
}

// The first bundle of a chain whose beginning is in no log that is here.
std::optional<Failure> ChainWalk::check_begin(const Bundle& bundle) {
  if (bundle.agent.id != link_.agent) return fail("agent", "it is of another agent");
  if (bundle.agent.machine != link_.machine) return fail("machine", "sealed on another machine");
  if (bundle.epoch != link_.epoch) return fail("epoch", "it is of another epoch than the re-pin");
  if (bundle.prev != link_.prev) return fail("prev", "it does not follow what the re-pin says");
  return std::nullopt;
}

// Where the log that it saw stands among the logs, against its own leaf's place.
std::optional<Failure> ChainWalk::check_log_order(std::size_t seen, std::uint64_t size,
                                                  const Place& place) {
  if (seen > place.log || (seen == place.log && size > place.index)) {
    return fail("log-seen", "it saw a log that was larger than its own place in it");
  }
  if (seen < log_seen_) return fail("log-seen", "it saw an earlier log than the bundle before");
  log_seen_ = seen;
  return std::nullopt;
}

std::optional<Failure> ChainWalk::check_log_seen(const Bundle& bundle,
                                                 const std::optional<Place>& place) {
  if (!bundle.log_seen || !place || !is_whole()) return std::nullopt;
  const auto& seen = *bundle.log_seen;
  const auto number = find_log(context_.logs, seen.origin);
  if (!number) return fail("log-seen", "it saw another log: " + seen.origin);
  auto& log = context_.logs[*number];
  if (seen.size < 0) return fail("log-seen", "a log of no size");
  const auto size = static_cast<std::uint64_t>(seen.size);
  if (auto failure = check_log_order(*number, size, *place)) return failure;
  const auto root = base64_decode(seen.root);
  if (!root) return fail("log-seen", "the root that it saw is no hash");
  const auto published = log.signatures.find(size);
  const bool known = published != log.signatures.end() && published->second == seen.sig;
  if (!known) {
    const auto ok = checkpoint::verify_seen({seen.origin, size, *root}, seen.sig, log.key);
    if (!ok) return fail("log-seen", ok.error().message);
  }
  log.size_seen = std::max(log.size_seen, size);
  if (size > log.head.size) return std::nullopt;  // A log that was restored: ROLLBACK.
  if (log.root_at(size) != *root) {
    return fail("log-fork", fmt::format("the log showed this host another tree of size {}", size));
  }
  return std::nullopt;
}

std::optional<Failure> ChainWalk::check_rotation(const Bundle& bundle) {
  if (!is_whole()) return std::nullopt;
  const auto* rotate =
      bundle.records.empty() ? nullptr : std::get_if<KeyRotate>(&bundle.records.back());
  const auto now = timeline_.epoch_of(bundle.seq);
  const auto next = timeline_.epoch_of(bundle.seq + 1);
  if (next == now) {
    // The leaf of the newest bundle may be in the log, and the rotate leaf after it not yet.
    if (rotate == nullptr || bundle.seq + 1 == timeline_.next_seq) return std::nullopt;
    return fail("rotate", "the bundle changes the key, and the log holds no rotate leaf");
  }
  const auto& epoch = timeline_.epochs[next];
  if (rotate == nullptr || rotate->key != epoch.key.spki() ||
      rotate->epoch != timeline_.first_epoch + static_cast<std::int64_t>(next)) {
    return fail("rotate", "the rotate leaf is not what the bundle says");
  }
  return std::nullopt;
}

const RunContent* ChainWalk::resolve(const Bundle& bundle, const Observation& observation) const {
  if (const auto* own = std::get_if<RunContent>(&observation.content)) return own;
  const auto& target = std::get<SameAs>(observation.content);
  if (target.seq == bundle.seq) {
    for (const auto& record : bundle.records) {
      const auto* other = std::get_if<Observation>(&record);
      if (other != nullptr && other->run == target.run)
        return std::get_if<RunContent>(&other->content);
    }
    return nullptr;
  }
  const auto found = observed_.find({target.seq, target.run});
  return found == observed_.end() ? nullptr : &found->second.second;
}

void ChainWalk::remember(const Bundle& bundle) {
  for (const auto& record : bundle.records) {
    const auto* observation = std::get_if<Observation>(&record);
    const auto* content =
        observation == nullptr ? nullptr : std::get_if<RunContent>(&observation->content);
    if (content == nullptr) continue;
    const auto id = parse_run_id(observation->run);
    observed_.insert_or_assign(
        {bundle.seq, observation->run},
        Observed{ObservationOnRecord{id ? id->collector : "", bundle.sealed, true}, *content});
  }
  while (!observed_.empty() &&
         observed_.begin()->second.first.sealed < bundle.sealed - kObservedMsMax) {
    observed_.erase(observed_.begin());
  }
}

void ChainWalk::note_anomalies(const Bundle& bundle, const std::optional<Place>& place,
                               const Statement& statement) {
  if (link_known_) {
    for (auto& what : find_anomalies(link_, statement)) anomaly(std::move(what));
  }
  if (!place) return;
  if (bundle.sealed > place->at + kClockSlackMs) {
    anomaly("clock: sealed after the store received it, by the host's clock");
  }
  if (!is_whole()) return;  // The leaves beside it are not known.
  const auto notes = timeline_.notes.find(bundle.seq);
  for (auto& what : check_arrival(notes == timeline_.notes.end() ? ArrivalNotes{} : notes->second,
                                  {bundle.sealed, place->at, place->place, next_due_, last_at_},
                                  context_.log_end)) {
    anomaly(std::move(what));
  }
}

std::optional<Failure> ChainWalk::take(const Opened& opened, const std::optional<Place>& place) {
  const auto& statement = opened.statement;
  const auto& bundle = statement.bundle;
  seq_ = bundle.seq;
  where_ = fmt::format("{}/{}", host_.agent, seq_);

  if (auto failure = check_place(opened, place)) return failure;
  if (auto failure = check_log_seen(bundle, place)) return failure;
  if (link_known_) {
    if (auto failure = check_rotation(bundle)) return failure;
    const auto lookup = [&](std::int64_t seq,
                            std::string_view run) -> std::optional<ObservationOnRecord> {
      if (timeline_.begins_repinned && seq < timeline_.epochs.front().first_seq) {
        const auto id = parse_run_id(run);  // In the part of the chain that is not here.
        return ObservationOnRecord{id ? id->collector : "", bundle.sealed, true};
      }
      const auto found = observed_.find({seq, std::string(run)});
      if (found == observed_.end()) return std::nullopt;
      return found->second.first;
    };
    if (const auto fault = check_same_as(statement, lookup)) {
      return fail(fault->reason, fault->message);
    }
  }
  if (auto failure = check_blobs(statement)) return failure;

  const auto schedule = context_.blobs.schedule(bundle.config);
  if (schedule && link_known_) {
    if (const auto fault = check_schedule(link_, statement, **schedule)) {
      return fail(fault->reason, fault->message);
    }
    coverage_.add(bundle, **schedule);
  } else if (!schedule && !is_excused(bundle.config)) {
    return fail("config", schedule.error().message);
  } else if (!schedule && !context_.withheld_allowed) {
    return fail("config", "without the configuration the schedule cannot be recomputed");
  }
  for (const auto& record : bundle.records) {
    const auto* observation = std::get_if<Observation>(&record);
    if (observation == nullptr) continue;
    if (auto failure = check_run(statement, *observation)) return failure;
  }
  note_anomalies(bundle, place, statement);
  count_runs(bundle, schedule && link_known_ ? *schedule : nullptr);

  remember(bundle);
  next_due_ = bundle.next_due;
  if (place) last_at_ = place->at;
  link_ = link_after(statement, opened.id, link_.spki);
  link_known_ = true;
  ++host_.bundles;
  host_.name = bundle.agent.host;
  ++context_.verdict.counts.bundles;
  context_.verdict.counts.records += static_cast<std::int64_t>(bundle.records.size());
  return std::nullopt;
}

void ChainWalk::note_silence() {
  where_ = fmt::format("{}/{}", host_.agent, link_.next_seq);
  auto notes = timeline_.notes.lower_bound(link_.next_seq);
  ArrivalNotes of_next;
  if (notes != timeline_.notes.end() && notes->first == link_.next_seq) of_next = (notes++)->second;
  const auto owed = timeline_.last_seq ? std::nullopt : next_due_;
  for (auto& what : check_absence(of_next, owed, timeline_.last_at, context_.log_end)) {
    anomaly(std::move(what));
  }
  for (; notes != timeline_.notes.end(); ++notes) {
    anomaly(fmt::format("overdue, recovered or late leaves speak of seq {}, the next is {}",
                        notes->first, link_.next_seq));
  }
}

Host ChainWalk::finish() const {
  auto host = host_;
  const bool ended = timeline_.last_seq && *timeline_.last_seq < link_.next_seq;
  host.coverage = coverage_.finish(ended, timeline_.enrolled_at);
  if (host.bundles > 0) {
    host.owed_from = coverage_.owed_from(timeline_.enrolled_at);
    host.owed_to = coverage_.owed_to(ended);
  }
  return host;
}

}  // namespace vouch::verify
