// SPDX-License-Identifier: Apache-2.0
#include "store/enrol.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "core/digest.h"
#include "core/encoding.h"
#include "proto/chain.h"
#include "proto/enrolment.h"
#include "store/layout.h"
#include "store/screen.h"

namespace vouch::store {
namespace {

// One answer for unknown, used up, expired and a wrong secret: a guesser learns nothing.
Problem token_problem() {
  return {ProblemKind::token,
          "the token is unknown, used up or expired: ask for a new join string",
          {}};
}

Problem agent_exists(std::string detail) {
  return {ProblemKind::agent_exists, std::move(detail), {}};
}

struct Enrolment {
  enrolment::Request request;
  std::string envelope;  // As received.
  // What became of it; written by the committer before it answers.
  std::optional<Problem> refusal;
  std::optional<std::uint64_t> leaf;
  bool known = false;
};

// The token if its secret made the request's MAC.
Result<std::optional<Token>> matching_token(Index& index, const enrolment::Request& request) {
  auto token = index.find_token(request.predicate.token);
  if (!token || !*token) return token;
  if ((*token)->role != Role::agent || !enrolment::mac_holds(request, (*token)->secret)) {
    return std::optional<Token>();
  }
  return token;
}

std::string host_name(const json::Object& host) {
  const auto name = host.find("name");
  if (name == host.end() || name->second.if_string() == nullptr) return "";
  return *name->second.if_string();
}

leaf::Enrol enrol_leaf(const enrolment::Request& request, const Token& token,
                       const EnrolContext& context) {
  const auto& predicate = request.predicate;
  leaf::Enrol body;
  body.agent = predicate.agent;
  body.machine = predicate.machine;
  body.keyid = request.keyid;
  body.key = base64_encode(predicate.key);
  body.statement = request.statement;
  body.token = predicate.token;
  body.by = token.by;
  body.policy = sha256_hex(context.policy);
  if (predicate.predecessor) body.predecessor = predicate.predecessor->agent;
  return body;
}

Status add_agent(Enrolment& enrolment, const Token& token, const EnrolContext& context,
                 Batch& batch) {
  const auto& request = enrolment.request;
  const auto& predicate = request.predicate;
  auto leaf = batch.append(enrol_leaf(request, token, context));
  if (!leaf) return std::move(leaf).error();

  Agent agent;
  agent.link = first_link(predicate.agent, predicate.machine, predicate.key);
  agent.host = host_name(predicate.host);
  agent.labels = token.labels;
  agent.keyid = request.keyid;
  agent.token = token.id;
  agent.leaf = *leaf;
  agent.enrolled_at = batch.at();
  auto added = batch.index().add_agent(agent);
  if (!added) return added;
  added = batch.index().add_key(request.keyid, {predicate.agent, 0, predicate.key, std::nullopt});
  if (!added) return added;
  added = batch.index().use_token(token.id);
  if (!added) return added;
  added = batch.add_file(layout::statement_path(request.statement), enrolment.envelope);
  if (!added) return added;
  enrolment.leaf = *leaf;
  return Ok{};
}

Problem no_repin(std::string detail) {
  return {ProblemKind::malformed,
          std::move(detail),
          {{"reason", "repin"}, {"member", "/predicate/repin"}}};
}

// Why the chain that the request names is not the one on record; nothing if it is.
std::optional<Problem> differs(const Agent& agent, const enrolment::Predicate& predicate) {
  const auto& link = agent.link;
  const auto& repin = *predicate.repin;
  if (predicate.machine != link.machine) return no_repin("the chain is of another machine");
  if (repin.next_seq != link.next_seq) return chain_problem(agent, false, "");
  if (repin.prev != link.prev) return chain_problem(agent, true, "");
  if (repin.epoch != link.epoch || predicate.key != link.spki) {
    return no_repin("this is not the key of the chain's epoch");
  }
  return std::nullopt;
}

// A chain that is known goes on in this log: `agent` is as on record.
Status repin(Enrolment& enrolment, const Token& token, Agent agent, const EnrolContext& context,
             Batch& batch) {
  const auto& request = enrolment.request;
  const auto& asked = *request.predicate.repin;
  const auto& earlier = context.receipts.earlier();
  const auto same = [&asked](const EarlierLog& log) { return log.origin == asked.origin; };
  if (std::none_of(earlier.begin(), earlier.end(), same)) {
    enrolment.refusal = no_repin("this log did not succeed " + asked.origin);
    return Ok{};
  }
  enrolment.refusal = differs(agent, request.predicate);
  if (enrolment.refusal) return Ok{};
  leaf::Repin body{enrol_leaf(request, token, context), asked.epoch, asked.next_seq, asked.prev};
  auto leaf = batch.append(std::move(body));
  if (!leaf) return std::move(leaf).error();
  agent.token = token.id;
  agent.keyid = request.keyid;
  agent.leaf = *leaf;
  auto updated = batch.index().update_agent(agent);
  if (!updated) return updated;
  auto used = batch.index().use_token(token.id);
  if (!used) return used;
  enrolment.leaf = *leaf;
  return batch.add_file(layout::statement_path(request.statement), enrolment.envelope);
}

Status apply(Enrolment& enrolment, const EnrolContext& context, Batch& batch) {
  enrolment.refusal.reset();
  auto& index = batch.index();
  const auto& request = enrolment.request;
  auto token = matching_token(index, request);
  if (!token) return std::move(token).error();
  if (!*token) {
    enrolment.refusal = token_problem();
    return Ok{};
  }
  auto agent = index.find_agent(request.predicate.agent);
  if (!agent) return std::move(agent).error();
  const bool repins = request.predicate.repin.has_value();
  if (!*agent && repins) {
    enrolment.refusal = no_repin("this store does not know that chain: enrol as a new agent");
    return Ok{};
  }
  // A chain comes over once; then it is enrolled in this log.
  if (*agent && (!repins || (*agent)->leaf >= context.receipts.base())) {
    if ((*agent)->keyid == request.keyid && (*agent)->token == (*token)->id) {
      enrolment.leaf = (*agent)->leaf;
      enrolment.known = true;
    } else {
      enrolment.refusal = agent_exists("this agent id is enrolled with another key or token");
    }
    return Ok{};
  }
  if ((*token)->uses_left <= 0 || (*token)->expires <= batch.at()) {
    enrolment.refusal = token_problem();
    return Ok{};
  }
  if (repins) return repin(enrolment, **token, **std::move(agent), context, batch);
  auto key = index.find_key(request.keyid);
  if (!key) return std::move(key).error();
  if (*key) {
    enrolment.refusal = agent_exists("this key is enrolled for another agent");
    return Ok{};
  }
  return add_agent(enrolment, **token, context, batch);
}

Response answer(const Enrolment& enrolment, const EnrolContext& context, const Status& committed) {
  if (!committed) return to_response(busy_problem("could not be made durable"));
  if (enrolment.refusal) return to_response(*enrolment.refusal);
  auto receipt = context.receipts.receipt(*enrolment.leaf);
  if (!receipt) return to_response(storage_problem(receipt.error()));
  Response response;
  response.status = enrolment.known ? 200 : 201;
  response.content_type = "application/json";
  response.body = enrolment::write_response({context.vkey, context.policy, *std::move(receipt)});
  return response;
}

void refuse(const Done& done, Problem problem) {
  done([problem = std::move(problem)] { return to_response(problem); });
}

}  // namespace

void enrol_agent(EnrolContext& context, std::string_view body, const Done& done) {
  if (body.size() > enrolment::kRequestBytesMax) {
    return refuse(done, {ProblemKind::too_large,
                         "",
                         {{"limit", static_cast<std::int64_t>(enrolment::kRequestBytesMax)}}});
  }
  auto request = enrolment::parse_request(body);
  if (!request && request.error().code == Errc::denied) {
    return refuse(done, {ProblemKind::bad_signature, request.error().message, {}});
  }
  if (!request) {
    return refuse(done, {ProblemKind::malformed,
                         request.error().message,
                         {{"reason", "enrolment"}, {"member", ""}}});
  }
  // A first look without the committer, so that guessing does not hold up ingest.
  auto index = context.readers.lend();
  if (!index) return refuse(done, storage_problem(index.error()));
  auto token = matching_token(**index, *request);
  if (!token) return refuse(done, storage_problem(token.error()));
  if (!*token) return refuse(done, token_problem());

  // Two owners: the job until it is done, then the maker of the response.
  auto enrolment = std::make_shared<Enrolment>();
  enrolment->request = *std::move(request);
  enrolment->envelope = body;
  Job job;
  job.apply = [enrolment, &context](Batch& batch) { return apply(*enrolment, context, batch); };
  job.done = [enrolment, &context, done](const Status& status) {
    done([enrolment, &context, status] { return answer(*enrolment, context, status); });
  };
  if (!context.committer.submit(std::move(job))) {
    refuse(done, busy_problem("the queue is full"));
  }
}

}  // namespace vouch::store
