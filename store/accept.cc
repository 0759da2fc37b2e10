// SPDX-License-Identifier: Apache-2.0
#include "store/accept.h"

#include "core/encoding.h"
#include "core/log.h"
#include "proto/chain.h"
#include "store/layout.h"

namespace vouch::store {
namespace {

// One host cannot fill the log with forks; further ones are refused without a leaf.
constexpr std::int64_t kForksLoggedMax = 64;

Result<Accepted> refuse_fork(const Candidate& candidate, Agent agent, std::int64_t seq_on_record,
                             Batch& batch) {
  auto& index = batch.index();
  auto on_record = index.find_bundle_at(agent.link.agent, seq_on_record);
  if (!on_record) return std::move(on_record).error();
  Accepted refused;
  refused.fork = true;
  refused.refusal = chain_problem(agent, true, "");
  if (!*on_record) return refused;
  refused.leaf = (*on_record)->leaf;

  const auto& id = candidate.signed_envelope.id;
  auto known = index.fork_known(id);
  if (!known) return std::move(known).error();
  auto count = index.fork_count(agent.link.agent);
  if (!count) return std::move(count).error();
  if (*known || *count >= kForksLoggedMax) return refused;

  const auto seq = candidate.statement.bundle.seq;
  auto leaf = batch.append(leaf::Fork{agent.link.agent, seq, (*on_record)->id, id,
                                      base64_encode(candidate.signed_envelope.envelope.signature)});
  if (!leaf) return std::move(leaf).error();
  auto kept = batch.add_file(layout::fork_path(agent.link.agent, seq, id), candidate.envelope_file);
  if (!kept) return std::move(kept).error();
  auto added = index.add_fork({agent.link.agent, seq, id, *leaf});
  if (!added) return std::move(added).error();
  agent.state = AgentState::forked;
  auto updated = index.update_agent(agent);
  if (!updated) return std::move(updated).error();
  log::warn("agent " + agent.link.agent + " has forked at seq " + std::to_string(seq) +
            ": both branches are kept and logged");
  return refused;
}

const KeyRotate* rotation_of(const Statement& statement) {
  const auto& records = statement.bundle.records;
  return records.empty() ? nullptr : std::get_if<KeyRotate>(&records.back());
}

// One key, one agent, one epoch: else a signature would not say whose it is.
Result<bool> rotates_to_fresh_key(const Statement& statement, Index& index) {
  const auto* rotate = rotation_of(statement);
  if (rotate == nullptr) return true;
  auto key = PublicKey::from_spki(rotate->key);
  if (!key) return false;
  auto known = index.find_key(key->keyid());
  if (!known) return std::move(known).error();
  return !known->has_value();
}

// A `rotate` leaf follows its bundle's leaf; the new key is the one for the next epoch.
Status log_rotation(const Candidate& candidate, const KeyRotate& rotate, Batch& batch) {
  auto key = PublicKey::from_spki(rotate.key);
  if (!key) return std::move(key).error();
  const auto& bundle = candidate.statement.bundle;
  auto leaf = batch.append(leaf::Rotate{bundle.agent.id, bundle.seq, rotate.epoch,
                                        candidate.signed_envelope.envelope.keyid, key->keyid(),
                                        base64_encode(rotate.key)});
  if (!leaf) return std::move(leaf).error();
  return batch.index().add_key(key->keyid(),
                               {bundle.agent.id, rotate.epoch, rotate.key, std::nullopt});
}

Status index_runs(const Statement& statement, Index& index) {
  for (const auto& record : statement.bundle.records) {
    const auto* observation = std::get_if<Observation>(&record);
    if (observation == nullptr) continue;
    LatestRun run;
    run.agent = statement.bundle.agent.id;
    run.collector = observation->run.substr(0, observation->run.find('/'));
    run.seq = statement.bundle.seq;
    run.run = observation->run;
    run.now = observation->now;
    run.finished = observation->finished;
    if (const auto* content = std::get_if<RunContent>(&observation->content)) {
      run.outcomes = content->outcomes.sha256;
      run.policy = content->policy;
      auto set = index.set_latest_run(run);
      if (!set) return set;
    } else {
      auto touched = index.touch_latest_run(run);
      if (!touched) return touched;
    }
  }
  return Ok{};
}

Status index_blobs(const Candidate& candidate, Batch& batch) {
  for (const auto& file : candidate.files) {
    auto added = batch.add_file(file.name, file.bytes);
    if (!added) return added;
  }
  for (const auto& [digest, size] : candidate.blobs) {
    auto added = batch.index().add_blob(digest, size);
    if (!added) return added;
  }
  for (const auto& digest : candidate.new_subjects) {
    auto added = batch.index().add_possession(candidate.statement.bundle.agent.id, digest);
    if (!added) return added;
  }
  return Ok{};
}

// How punctual it was, where there is something to say.
Status log_lateness(const Bundle& bundle, WallMs late_after_ms, Batch& batch) {
  const auto& id = bundle.agent.id;
  auto lateness = batch.index().lateness(id);
  if (!lateness) return std::move(lateness).error();
  const WallMs age = batch.at() - bundle.sealed;
  const bool late = age > late_after_ms;
  if (!late && !lateness->overdue_leaf) return Ok{};
  if (lateness->overdue_leaf) {
    // One that went quiet in an earlier log has nothing to point at in this one.
    if (const auto overdue = batch.index_of(*lateness->overdue_leaf)) {
      auto leaf =
          batch.append(leaf::Recovered{id, bundle.seq, static_cast<std::int64_t>(*overdue)});
      if (!leaf) return std::move(leaf).error();
    }
    lateness->overdue_leaf.reset();
    log::info("agent " + id + " (" + bundle.agent.host + ") is heard again");
  }
  if (late) {
    auto leaf = batch.append(leaf::Late{id, bundle.seq, age / 1000});
    if (!leaf) return std::move(leaf).error();
    ++lateness->late;
  }
  return batch.index().set_lateness(id, *lateness);
}

Result<Accepted> take_bundle(const Candidate& candidate, Agent agent, WallMs late_after_ms,
                             Batch& batch) {
  const auto& bundle = candidate.statement.bundle;
  const auto& envelope = candidate.signed_envelope.envelope;
  const auto& id = candidate.signed_envelope.id;
  auto leaf = batch.append(leaf::Bundle{bundle.agent.id, bundle.seq, id, bundle.prev,
                                        envelope.keyid, base64_encode(envelope.signature)});
  if (!leaf) return std::move(leaf).error();
  Accepted accepted;
  accepted.leaf = *leaf;
  accepted.entry = batch.entries().back();
  if (const auto* rotate = rotation_of(candidate.statement)) {
    auto rotated = log_rotation(candidate, *rotate, batch);
    if (!rotated) return std::move(rotated).error();
  }
  auto punctual = log_lateness(bundle, late_after_ms, batch);
  if (!punctual) return std::move(punctual).error();
  auto kept =
      batch.add_file(layout::bundle_path(bundle.agent.id, bundle.seq), candidate.envelope_file);
  if (!kept) return std::move(kept).error();
  auto blobs = index_blobs(candidate, batch);
  if (!blobs) return std::move(blobs).error();
  auto added = batch.index().add_bundle({bundle.agent.id, bundle.seq, id, *leaf});
  if (!added) return std::move(added).error();
  auto runs = index_runs(candidate.statement, batch.index());
  if (!runs) return std::move(runs).error();

  agent.link = link_after(candidate.statement, id, agent.link.spki);
  agent.host = bundle.agent.host;
  agent.version = bundle.agent.version;
  agent.last_at = batch.at();
  agent.next_due = bundle.next_due;
  auto updated = batch.index().update_agent(agent);
  if (!updated) return std::move(updated).error();
  return accepted;
}

}  // namespace

Result<Accepted> accept_bundle(const Candidate& candidate, WallMs late_after_ms, Batch& batch) {
  auto known = batch.index().find_bundle(candidate.signed_envelope.id);
  if (!known) return std::move(known).error();
  if (*known) {
    Accepted accepted;
    accepted.known = true;
    accepted.leaf = (*known)->leaf;
    auto indexed = index_blobs(candidate, batch);  // Those that it lacked until now.
    if (!indexed) return std::move(indexed).error();
    return accepted;
  }
  auto agent = batch.index().find_agent(candidate.statement.bundle.agent.id);
  if (!agent) return std::move(agent).error();
  if (!*agent) return Error{Errc::corrupt, "a key without an agent in the index"};
  // Revoked since its signature was checked?
  auto key = batch.index().find_key(candidate.signed_envelope.envelope.keyid);
  if (!key) return std::move(key).error();
  if (*key && is_revoked(**key, candidate.statement.bundle.seq)) {
    Accepted refused;
    refused.refusal = Problem{ProblemKind::revoked, "the key is revoked", {}};
    return refused;
  }
  auto standing = check_chain(**agent, candidate.statement);
  if (const auto* fork = std::get_if<Forks>(&standing)) {
    return refuse_fork(candidate, **std::move(agent), fork->seq_on_record, batch);
  }
  if (auto* problem = std::get_if<Problem>(&standing)) {
    Accepted refused;
    refused.refusal = std::move(*problem);
    return refused;
  }
  auto fresh = rotates_to_fresh_key(candidate.statement, batch.index());
  if (!fresh) return std::move(fresh).error();
  if (!*fresh) {
    Accepted refused;
    refused.refusal = Problem{ProblemKind::bad_statement,
                              "the new key is enrolled already",
                              {{"reason", "rotate"}, {"pointer", "/predicate/records"}}};
    return refused;
  }
  return take_bundle(candidate, **std::move(agent), late_after_ms, batch);
}

}  // namespace vouch::store
