// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/fake_world.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <utility>

#include <catch2/catch.hpp>

#include "core/digest.h"
#include "core/encoding.h"
#include "core/file.h"
#include "proto/chain.h"
#include "proto/dsse.h"
#include "proto/enrolment.h"
#include "proto/leaf.h"
#include "proto/receipt.h"
#include "proto/subjects.h"
#include "proto/succession.h"

namespace vouch::agent {

RunReport FakeRunner::run(const Collector& collector, const RunRequest& request) {
  ++runs;
  RunReport report;
  report.started = clock_.wall;
  clock_.advance(5);
  report.finished = clock_.wall;
  report.duration_ms = 5;
  report.collector = {collector.name, collector.manifest.version, collector.digest};
  if (violation) {
    report.result = *violation;
    return report;
  }
  Snapshot snapshot;
  for (const std::string& name : request.tables) {
    std::vector<json::Value> rows;
    if (name == "users") {
      for (const auto& user : users) rows.push_back(json::Object{{"username", user}});
    }
    TableAnswer answer;
    answer.name = name;
    if (caches) answer.cache_token = "token";
    if (caches && request.cache.contains(name)) {
      answer.kind = TableAnswer::Kind::unchanged;
      snapshot.tables.push_back(std::move(answer));
      continue;
    }
    answer.blob = make_table(*collector.manifest.find(name), rows).value();
    snapshot.tables.push_back(std::move(answer));
  }
  report.result = std::move(snapshot);
  return report;
}

FakeLog::FakeLog(const std::string& origin)
    : key_(SigningKey::generate().value()),
      vkey_(note::make_vkey(origin, note::KeyType::log, key_).value()) {
  policy_ = "log " + note::write_vkey(vkey_) + "\nquorum none\n";
}

std::uint64_t FakeLog::append(WallMs at, leaf::Body body) {
  entries_.push_back(leaf::write({at, std::move(body)}).value());
  hashes_.push_back(merkle::leaf_hash(entries_.back()));
  return entries_.size() - 1;
}

void FakeLog::rewrite_last(std::string entry) {
  entries_.back() = std::move(entry);
  hashes_.back() = merkle::leaf_hash(entries_.back());
}

std::string FakeLog::receipt(std::uint64_t index, std::uint64_t size) const {
  const auto nodes = merkle::node_reader(hashes_);
  receipt::TlogProof proof;
  proof.extra = entries_[index];
  proof.index = index;
  proof.proof = merkle::inclusion_proof(nodes, index, size).value();
  proof.checkpoint =
      checkpoint::sign({vkey_.name, size, merkle::root(nodes, size).value()}, vkey_, key_).value();
  return receipt::write(proof);
}

std::string FakeLog::consistency(std::uint64_t from, std::uint64_t to) const {
  const auto nodes = merkle::node_reader(hashes_);
  return receipt::write_consistency({from, merkle::consistency_proof(nodes, from, to).value()});
}

Result<EnrolAnswer> FakeLog::enrol(const std::string& envelope, WallMs at) {
  auto request = enrolment::parse_request(envelope);
  if (!request) return std::move(request).error();
  const auto& predicate = request->predicate;
  const auto index =
      append(at, leaf::Enrol{predicate.agent, predicate.machine, request->keyid,
                             base64_encode(predicate.key), request->statement, predicate.token,
                             "local", sha256_hex(policy_), std::nullopt});
  return EnrolAnswer{201, enrolment::write_response({vkey(), policy_, receipt(index, size())}),
                     "PEM"};
}

Result<EnrolAnswer> FakeLog::repin(const std::string& envelope, WallMs at) {
  auto request = enrolment::parse_request(envelope);
  if (!request) return std::move(request).error();
  const auto& predicate = request->predicate;
  if (!predicate.repin) return Error{Errc::invalid, "no re-pin"};
  leaf::Enrol enrol{
      predicate.agent,    predicate.machine, request->keyid, base64_encode(predicate.key),
      request->statement, predicate.token,   "local",        sha256_hex(policy_),
      std::nullopt};
  const auto index = append(at, leaf::Repin{std::move(enrol), predicate.repin->epoch,
                                            predicate.repin->next_seq, predicate.repin->prev});
  return EnrolAnswer{201, enrolment::write_response({vkey(), policy_, receipt(index, size())}),
                     "PEM"};
}

JoinString FakeLog::join() const {
  JoinString join;
  join.host = "store.example.com";
  join.token_id = std::string(8, 't');
  join.token_secret = std::string(24, 's');
  join.pin = sha256(vkey());
  return join;
}

std::string FakeLog::end_at(const FakeLog& next, std::uint64_t size,
                            const FakeLog& rooted_in) const {
  const auto root = merkle::root(merkle::node_reader(rooted_in.hashes_), size).value();
  return succession::sign({{vkey_.name, size, root}, next.vkey_}, vkey_, key_, next.key_).value();
}

World::World() {
  std::string name = (std::filesystem::temp_directory_path() / "vouch-agent-XXXXXX").string();
  REQUIRE(mkdtemp(name.data()) != nullptr);
  directory = name;
  write("accounts", R"(#!/bin/sh
printf '%s' '{"protocol":1,"name":"accounts","version":"1.0.0","title":"Accounts",'
printf '%s' '"interval_s":300,"deadline_s":30,"options":{},'
printf '%s' '"needs":{"network":false,"cache_dir":false},"tables":[{"name":"users",'
printf '%s' '"title":"Users","key":["username"],"volatile":false,"needs":{"capabilities":[]},'
printf '%s' '"columns":[{"name":"username","type":"text","title":"Name"}]}]}'
)");
  std::filesystem::permissions(directory + "/accounts", std::filesystem::perms::owner_all);
  write("pack.yaml", R"(pack: test.accounts
title: Accounts
controls:
  - id: no-bob
    title: Bob has no account
    owner: it
    frequency_s: 86400
    checks:
      - id: no-bob.users
        title: Bob has no account
        severity: low
        rationale: He left
        remediation: Remove it
        tables: [users]
        sql: SELECT username FROM users WHERE username = 'bob'
)");
  config.state_dir = directory + "/state";
  config.runtime_dir = directory + "/run";
  config.packs = {directory + "/pack.yaml"};
  config.splay_s_max = 0;
  CollectorConfig accounts;
  accounts.name = "accounts";
  accounts.program = directory + "/accounts";
  config.collectors = {accounts};
  REQUIRE(make_directories(config.receipts_dir(), 0700));
}

void World::write(const std::string& name, const std::string& text) const {
  std::ofstream(directory + "/" + name) << text;
}

std::unique_ptr<Agent> World::open() {
  auto agent = Agent::open(config, clock, runner, host, std::string(64, 'a'), load);
  if (!agent) FAIL(agent.error().message);
  return *std::move(agent);
}

std::unique_ptr<Agent> World::start() {
  auto agent = open();
  Ledger& ledger = agent->state().ledger;  // check_chain() starts from the first key.
  if (!*ledger.get("test_spki")) {
    REQUIRE(ledger.set("test_spki", ledger.chain_head().value()->link.spki));
  }
  const auto started = agent->start();
  if (!started) FAIL(started.error().message);
  return agent;
}

EnrolReport World::enrol() {
  auto report = agent::enrol({config.state_dir, host}, log.join(), clock,
                             [&](const JoinString&, const std::string& envelope) {
                               return log.enrol(envelope, clock.wall);
                             });
  if (!report) FAIL(report.error().message);
  return *report;
}

std::uint64_t World::log_bundle(State& state, std::int64_t seq) {
  const auto bundle = state.bundles.find(seq).value().value();
  const auto envelope = dsse::parse(bundle.envelope).value();
  return log.append(clock.wall, leaf::Bundle{state.identity.agent, seq, bundle.id, bundle.prev,
                                             bundle.keyid, base64_encode(envelope.signature)});
}

void World::put_receipt(std::int64_t seq, const std::string& suffix,
                        const std::string& bytes) const {
  put_file(seq_name(seq) + suffix, bytes);
}

void World::put_file(const std::string& name, const std::string& bytes) const {
  std::ofstream(config.receipts_dir() + "/" + name) << bytes;
}

void World::deliver(State& state) {
  auto accepted = state.ledger.accepted_checkpoint().value();
  auto from = accepted ? static_cast<std::uint64_t>(accepted->seen.size) : 0;
  const auto found_bundles = state.bundles.in_state(BundleState::waiting).value();
  for (const auto& bundle : found_bundles) {
    const auto index = log_bundle(state, bundle.seq);
    if (from > 0) put_receipt(bundle.seq, ".consistency", log.consistency(from, log.size()));
    put_receipt(bundle.seq, ".tlog-proof", log.receipt(index, log.size()));
    from = log.size();
  }
}

void live(World& world, Agent& agent, std::int64_t ms) {
  const WallMs end = world.clock.wall + ms;
  while (world.clock.wall < end) {
    const auto polled = agent.poll();
    if (!polled) FAIL(polled.error().message);
    const auto wait = std::max<std::int64_t>(agent.wait_ms(), 1);
    world.clock.advance(std::min(wait, end - world.clock.wall));
  }
}

std::vector<Record> check_chain(State& state) {
  std::vector<Record> records;
  std::optional<ChainLink> link;
  for (std::int64_t seq = 0;; ++seq) {
    const auto found = state.bundles.find(seq).value();
    if (!found) break;
    CAPTURE(seq);
    REQUIRE_FALSE(found->envelope.empty());
    const auto envelope = dsse::parse(found->envelope).value();
    const auto statement = parse_statement(envelope.payload);
    if (!statement) FAIL(statement.error().message);
    if (!link) {
      const auto first = state.ledger.get("test_spki").value().value();
      link = first_link(state.identity.agent, state.identity.machine, first);
    }
    CHECK(dsse::verify(envelope, PublicKey::from_spki(link->spki).value()));
    if (const auto fault = check_link(*link, *statement)) FAIL(fault->reason + fault->message);
    const auto config = state.blobs.get(statement->bundle.config).value();
    const auto schedule = schedule_of_config(config).value();
    if (const auto fault = check_schedule(*link, *statement, schedule)) FAIL(fault->message);
    const auto same = check_same_as(*statement, [](auto, auto) {
      return std::optional<ObservationOnRecord>({"accounts", 0, true});
    });
    (void)same;
    bool complete = true;
    const auto subjects = check_subjects(
        *statement, [&](std::string_view sha) { return state.blobs.get(sha); }, complete);
    CHECK(complete);
    if (!subjects) FAIL(subjects.error().message);
    link = link_after(*statement, found->id, link->spki);
    for (const auto& record : statement->bundle.records) records.push_back(record);
    if (found->state == BundleState::waiting) CHECK(state.outbox.has(seq));
  }
  return records;
}

}  // namespace vouch::agent
