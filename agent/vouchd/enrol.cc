// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/enrol.h"

#include <fcntl.h>
#include <sys/utsname.h>

#include <array>
#include <memory>
#include <optional>

#include "agent/vouchd/state.h"
#include "core/encoding.h"
#include "core/file.h"
#include "core/json.h"
#include "proto/enrolment.h"
#include "proto/problem.h"

namespace vouch::agent {
namespace {

constexpr std::size_t kOsReleaseBytesMax = 64u << 10;
// In the order in which they are set aside; the ledger, which says that it must be done, goes last.
constexpr std::string_view kOutbox = "outbox";
constexpr std::size_t kOutboxFilesMax = 1'000'000;
constexpr std::array<const char*, 8> kStateEntries{
    "outbox", "kept", "blobs", "keys", "cache", "agent.db-wal", "agent.db-shm", "agent.db"};

std::string os_name() {
  const auto text = read_file("/etc/os-release", kOsReleaseBytesMax);
  if (!text) return "Linux";
  const std::string_view mark = "PRETTY_NAME=\"";
  const auto at = text->find(mark);
  if (at == std::string::npos) return "Linux";
  const auto begin = at + mark.size();
  return text->substr(begin, text->find('"', begin) - begin);
}

json::Object describe_host(const HostFacts& facts) {
  json::Object host{{"name", facts.host}, {"os", os_name()}};
  struct utsname names {};
  if (uname(&names) == 0) {
    host["kernel"] = std::string(names.release);
    host["architecture"] = std::string(names.machine);
  }
  return host;
}

// The directory stays: its group, by which vouch-ship may read it, is not ours to give to another.
Status move_files(const std::string& from, const std::string& to) {
  if (auto made = make_directories(to, 0700); !made) return made;
  auto names = list_directory(from, kOutboxFilesMax);
  if (!names) return std::move(names).error();
  for (const std::string& name : *names) {
    auto moved = rename_durable(from + "/" + name, to + "/" + name);
    if (!moved) return moved;
  }
  return Ok{};
}

Status set_aside(const std::string& state_dir, const std::string& agent) {
  const std::string target = state_dir + "/previous-" + agent;
  if (auto made = make_directories(target, 0700); !made) return made;
  for (const char* entry : kStateEntries) {
    const std::string from = state_dir + "/" + entry;
    if (!file_exists(from)) continue;
    const std::string to = target + "/" + entry;
    auto moved = entry == kOutbox ? move_files(from, to) : rename_durable(from, to);
    if (!moved) return moved;
  }
  return Ok{};
}

// A state whose chain is empty and that knows no store.
Result<std::unique_ptr<State>> open_fresh(const EnrolOptions& options, const Clock& clock,
                                          std::optional<std::string>& predecessor) {
  auto state = State::open(options.state_dir, options.host.machine, clock.wall_ms());
  if (!state) return state;
  if ((*state)->has_store()) {
    return Error{Errc::exists, "this host is enrolled already, as agent " +
                                   (*state)->identity.agent + " (" + options.state_dir + ")"};
  }
  auto head = (*state)->ledger.chain_head();
  if (!head) return std::move(head).error();
  if (*head && (*head)->link.next_seq == 0) return state;
  predecessor = (*state)->identity.agent;
  state->reset();
  if (auto done = set_aside(options.state_dir, *predecessor); !done) {
    return std::move(done).error().in("set the old chain aside");
  }
  return State::open(options.state_dir, options.host.machine, clock.wall_ms());
}

Error refusal(const EnrolAnswer& answer, const std::string& state_dir) {
  const auto problem = parse_problem(answer.body);
  if (!problem) {
    return {Errc::denied, "the store answered with status " + std::to_string(answer.status)};
  }
  if (problem->kind == ProblemKind::token) {
    return {Errc::denied,
            "the store does not take this join string: unknown, used up or expired; ask for a new "
            "one (vouch-store token create)"};
  }
  if (problem->kind == ProblemKind::agent_exists) {
    return {Errc::denied, "the store refused: " + problem->detail +
                              "; use the join string of the first try again, or move " + state_dir +
                              " away to begin as a new agent"};
  }
  return {Errc::denied, "the store refused: " + std::string(problem_name(problem->kind)) +
                            (problem->detail.empty() ? "" : ": " + problem->detail)};
}

Status write_store_files(const std::string& state_dir, const JoinString& join,
                         const std::string& ca_pem) {
  json::Object store{{"url", join.url()}};
  if (!ca_pem.empty()) {
    const std::string path = state_dir + "/" + std::string(kStoreCaFile);
    if (auto written = write_file_durable(path, ca_pem, 0644); !written) return written;
    store["ca"] = std::string(kStoreCaFile);
  }
  return write_file_durable(state_dir + "/" + std::string(kStoreFile), json::write(store) + "\n",
                            0644);
}

// Everything that the answer established, in one transaction.
Status adopt(State& state, const enrolment::Enrolled& enrolled, const enrolment::Request& request,
             WallMs now) {
  const auto& head = enrolled.receipt.checkpoint.checkpoint;
  AcceptedCheckpoint checkpoint{
      {head.origin, static_cast<std::int64_t>(head.size), base64_encode(head.root),
       enrolled.receipt.checkpoint.log_signature},
      enrolled.receipt.checkpoint.note};
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
  return state.outbox.write_log_seen(checkpoint.note);
}

struct Attempt {
  std::string envelope;
  enrolment::Request request;
};

// What is sent to the store. A try before may have reached it although its answer did not hold or
// got lost, and the store knows exactly one statement of an agent: with the same join string the
// same bytes go out again. With another one the predecessor is still named.
Result<Attempt> make_attempt(State& state, const HostFacts& host, const JoinString& join,
                             std::optional<std::string> predecessor) {
  auto sent = state.ledger.get(kEnrolmentRequest);
  if (!sent) return std::move(sent).error();
  if (*sent) {
    auto request = enrolment::parse_request(**sent);
    if (!request) return std::move(request).error().in("the enrolment request sent before");
    const bool same_token = request->predicate.token == hex_encode(join.token_id) &&
                            enrolment::mac_holds(*request, join.token_secret);
    if (same_token) return Attempt{**std::move(sent), *std::move(request)};
    if (request->predicate.predecessor) predecessor = request->predicate.predecessor->agent;
  }
  auto key = state.keys.load(0);
  if (!key) return std::move(key).error().in("signing key");
  enrolment::Predicate predicate;
  predicate.agent = state.identity.agent;
  predicate.machine = host.machine;
  predicate.host = describe_host(host);
  if (predecessor) {
    predicate.predecessor = {*std::move(predecessor), "sealed without a store before"};
  }
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
  std::optional<std::string> predecessor;
  auto state = open_fresh(options, clock, predecessor);
  if (!state) return std::move(state).error();
  auto attempt = make_attempt(**state, options.host, join, std::move(predecessor));
  if (!attempt) return std::move(attempt).error();
  const auto& request = attempt->request;

  auto answer = post(join, attempt->envelope);
  if (!answer) return std::move(answer).error().in("enrol at " + join.url());
  if (answer->status != 200 && answer->status != 201) return refusal(*answer, options.state_dir);
  auto response = enrolment::parse_response(answer->body);
  if (!response) return Error{Errc::denied, "the store's answer: " + response.error().message};
  auto enrolled = enrolment::check_response(*response, join, request);
  if (!enrolled) {
    return Error{Errc::denied, "the store's answer does not hold: " + enrolled.error().message};
  }

  if (auto written = write_store_files(options.state_dir, join, answer->ca_pem); !written) {
    return std::move(written).error();
  }
  if (auto adopted = adopt(**state, *enrolled, request, clock.wall_ms()); !adopted) {
    return std::move(adopted).error();
  }
  const auto& before = request.predicate.predecessor;
  return EnrolReport{(*state)->identity.agent, enrolled->log.name, join.url(),
                     before ? before->agent : ""};
}

}  // namespace vouch::agent
