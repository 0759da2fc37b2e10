// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/enrol_answer.h"
#include "agent/vouchd/state.h"
#include "core/encoding.h"
#include "proto/enrolment.h"
#include "proto/note.h"
#include "proto/policy_file.h"

namespace vouch::agent {
namespace {

constexpr std::string_view kRepinRequest = "repin_request";  // As sent last.

// Where the new log takes the chain over: the first bundle that waits, else the next one.
Result<enrolment::Repin> place_in_chain(State& state, const LogSeen& seen) {
  const auto root = base64_decode(seen.root);
  auto head = state.ledger.chain_head();
  if (!head) return std::move(head).error();
  if (!*head || !root) return Error{Errc::corrupt, "agent.db: no chain, or no accepted checkpoint"};
  enrolment::Repin repin;
  repin.origin = seen.origin;
  repin.size = static_cast<std::uint64_t>(seen.size);
  repin.root = seen.root;
  repin.epoch = (*head)->link.epoch;
  repin.next_seq = (*head)->link.next_seq;
  repin.prev = (*head)->link.prev;
  auto waiting = state.bundles.in_state(BundleState::waiting);
  if (!waiting) return std::move(waiting).error();
  if (!waiting->empty()) {
    const SealedBundle& first = waiting->front();
    repin.epoch = first.epoch;
    repin.next_seq = first.seq;
    repin.prev = first.prev;
  }
  return repin;
}

struct Attempt {
  std::string envelope;
  enrolment::Request request;
};

// The same bytes again for the same token and the same place: that uses up no second token.
Result<Attempt> make_attempt(State& state, const EnrolOptions& options, const JoinString& join,
                             const enrolment::Repin& place) {
  auto sent = state.ledger.get(kRepinRequest);
  if (!sent) return std::move(sent).error();
  if (*sent) {
    auto request = enrolment::parse_request(**sent);
    if (!request) return std::move(request).error().in("the re-pin request sent before");
    const auto& repin = request->predicate.repin;
    const bool same_place = repin && repin->next_seq == place.next_seq && repin->prev == place.prev;
    if (same_place && request->predicate.token == hex_encode(join.token_id) &&
        enrolment::mac_holds(*request, join.token_secret)) {
      return Attempt{**std::move(sent), *std::move(request)};
    }
  }
  auto key = state.keys.load(place.epoch);
  if (!key) return std::move(key).error().in("signing key");
  enrolment::Predicate predicate;
  predicate.agent = state.identity.agent;
  predicate.machine = options.host.machine;
  predicate.host = describe_host(options);
  predicate.repin = place;
  auto envelope = enrolment::make_request(std::move(predicate), join, *key);
  if (!envelope) return std::move(envelope).error();
  auto request = enrolment::parse_request(*envelope);
  if (!request) return std::move(request).error();
  if (auto set = state.ledger.set(kRepinRequest, *envelope); !set) return std::move(set).error();
  return Attempt{*std::move(envelope), *std::move(request)};
}

Status adopt(State& state, const enrolment::Enrolled& enrolled, const LogSeen& before,
             const std::string& by, const std::string& reason, WallMs now) {
  const AcceptedCheckpoint checkpoint = checkpoint_of(enrolled);
  Identity identity = state.identity;
  identity.policy = enrolled.policy_text;
  WaitingRecord record;
  record.record = LogRepin{
      now, {before.origin, before.size, before.root}, note::write_vkey(enrolled.log), by, reason};
  record.urgent = true;
  auto done = state.ledger.transaction(now, [&]() -> Status {
    if (auto set = state.ledger.set_identity(identity); !set) return set;
    if (auto set = state.ledger.set_accepted_checkpoint(checkpoint); !set) return set;
    return state.waiting.add(record, {});
  });
  if (!done) return done;
  state.identity = std::move(identity);
  return state.outbox.write_log_seen(checkpoint.note);
}

}  // namespace

Result<RepinReport> repin(const EnrolOptions& options, const JoinString& join, const Clock& clock,
                          const PostEnrolment& post, const std::string& by,
                          const std::string& reason) {
  const auto lock = lock_state(options.state_dir);
  if (!lock) return lock.error();
  auto state = State::open(options.state_dir, options.host.machine, clock.wall_ms());
  if (!state) return std::move(state).error();
  if (!(*state)->has_store()) {
    return Error{Errc::not_found, "this host is not enrolled: there is no log to replace"};
  }
  auto accepted = (*state)->ledger.accepted_checkpoint();
  if (!accepted) return std::move(accepted).error();
  if (!*accepted) return Error{Errc::corrupt, "agent.db: no checkpoint was accepted"};
  const LogSeen before = (*accepted)->seen;
  auto place = place_in_chain(**state, before);
  if (!place) return std::move(place).error();
  auto attempt = make_attempt(**state, options, join, *place);
  if (!attempt) return std::move(attempt).error();
  auto enrolled = ask_store(options.state_dir, join, attempt->envelope, attempt->request, post);
  if (!enrolled) return std::move(enrolled).error();
  if (enrolled->log.name == before.origin) {
    return Error{Errc::denied, "that is the log that is pinned already: " + before.origin};
  }
  auto adopted = adopt(**state, *enrolled, before, by, reason, clock.wall_ms());
  if (!adopted) return std::move(adopted).error();
  return RepinReport{(*state)->identity.agent, before.origin, enrolled->log.name, join.url()};
}

}  // namespace vouch::agent
