// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/enrol.h"

#include <memory>
#include <optional>

#include "agent/vouchd/enrol_answer.h"
#include "agent/vouchd/set_aside.h"
#include "agent/vouchd/state.h"
#include "core/encoding.h"
#include "proto/enrolment.h"

namespace vouch::agent {
namespace {

// Why what is there cannot become an agent of the store; nothing: it can, or there is no telling.
Result<std::optional<std::string>> why_ended(const EnrolOptions& options,
                                             const Result<std::unique_ptr<State>>& state) {
  using Reason = std::optional<std::string>;
  if (!state) {
    auto resident = read_resident(options.state_dir);
    if (!resident) return std::move(resident).error();
    if (*resident && (*resident)->machine != options.host.machine) {
      return Reason("this host began as a copy of its machine");
    }
    if (state.error().code == Errc::corrupt) return Reason("its database was damaged");
    return state.error();
  }
  auto forked = (*state)->ledger.get(kForked);
  if (!forked) return std::move(forked).error();
  if (*forked) return Reason("its chain was forked");
  if ((*state)->has_store()) {
    return Error{Errc::exists, "this host is enrolled already, as agent " +
                                   (*state)->identity.agent + " (" + options.state_dir + ")"};
  }
  auto head = (*state)->ledger.chain_head();
  if (!head) return std::move(head).error();
  if (*head && (*head)->link.next_seq == 0) return Reason();
  return Reason("sealed without a store before");
}

// A state whose chain is empty and that knows no store.
Result<std::unique_ptr<State>> open_fresh(const EnrolOptions& options, const Clock& clock) {
  auto state = State::open(options.state_dir, options.host.machine, clock.wall_ms());
  auto ended = why_ended(options, state);
  if (!ended) return std::move(ended).error();
  if (!*ended) return state;
  if (state) state->reset();
  auto done = set_aside_state(options.state_dir, **ended, clock.wall_ms());
  if (!done) return std::move(done).error();
  return State::open(options.state_dir, options.host.machine, clock.wall_ms());
}

// Everything that the answer established, in one transaction.
Status adopt(State& state, const enrolment::Enrolled& enrolled, const enrolment::Request& request,
             WallMs now) {
  const AcceptedCheckpoint checkpoint = checkpoint_of(enrolled);
  Identity identity = state.identity;
  identity.policy = enrolled.policy_text;
  identity.enrolment =
      EnrolmentRef{static_cast<std::int64_t>(enrolled.receipt.index), request.statement};
  auto done = state.ledger.transaction(now, [&]() -> Status {
    if (auto set = state.ledger.set_identity(identity); !set) return set;
    return state.ledger.set_accepted_checkpoint(checkpoint);
  });
  if (!done) return done;
  state.identity = std::move(identity);
  if (auto written = state.write_identity_file(); !written) return written;
  return state.outbox.write_log_seen(checkpoint.note);
}

struct Attempt {
  std::string envelope;
  enrolment::Request request;
};

// What is sent to the store. A try before may have reached it although its answer did not hold or
// got lost, and the store knows exactly one statement of an agent: with the same join string the
// same bytes go out again.
Result<Attempt> make_attempt(State& state, const EnrolOptions& options, const JoinString& join) {
  auto sent = state.ledger.get(kEnrolmentRequest);
  if (!sent) return std::move(sent).error();
  if (*sent) {
    auto request = enrolment::parse_request(**sent);
    if (!request) return std::move(request).error().in("the enrolment request sent before");
    const bool same_token = request->predicate.token == hex_encode(join.token_id) &&
                            enrolment::mac_holds(*request, join.token_secret);
    if (same_token) return Attempt{**std::move(sent), *std::move(request)};
  }
  auto key = state.keys.load(0);
  if (!key) return std::move(key).error().in("signing key");
  enrolment::Predicate predicate;
  predicate.agent = state.identity.agent;
  predicate.machine = options.host.machine;
  predicate.host = describe_host(options);
  auto predecessor = state.ledger.get(kPredecessor);
  if (!predecessor) return std::move(predecessor).error();
  auto ended = state.ledger.get(kPredecessorEnded);
  if (!ended) return std::move(ended).error();
  if (*predecessor) predicate.predecessor = {**std::move(predecessor), ended->value_or("")};
  auto envelope = enrolment::make_request(std::move(predicate), join, *key);
  if (!envelope) return std::move(envelope).error();
  auto request = enrolment::parse_request(*envelope);
  if (!request) return std::move(request).error();
  if (auto set = state.ledger.set(kEnrolmentRequest, *envelope); !set)
    return std::move(set).error();
  return Attempt{*std::move(envelope), *std::move(request)};
}

}  // namespace

Result<EnrolReport> enrol(const EnrolOptions& options, const JoinString& join, const Clock& clock,
                          const PostEnrolment& post) {
  const auto lock = lock_state(options.state_dir);
  if (!lock) return lock.error();
  auto state = open_fresh(options, clock);
  if (!state) return std::move(state).error();
  auto attempt = make_attempt(**state, options, join);
  if (!attempt) return std::move(attempt).error();
  const auto& request = attempt->request;

  auto enrolled = ask_store(options.state_dir, join, attempt->envelope, request, post);
  if (!enrolled) return std::move(enrolled).error();
  if (auto adopted = adopt(**state, *enrolled, request, clock.wall_ms()); !adopted) {
    return std::move(adopted).error();
  }
  const auto& before = request.predicate.predecessor;
  return EnrolReport{(*state)->identity.agent, enrolled->log.name, join.url(),
                     before ? before->agent : ""};
}

}  // namespace vouch::agent
