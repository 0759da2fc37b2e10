// SPDX-License-Identifier: Apache-2.0
// A small store in memory for tests of the verifier: one agent, one collector that runs every five
// minutes, bundles of two runs each, in the layout of docs/formats/store-layout.md.
#pragma once

#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/digest.h"
#include "core/zstd.h"
#include "proto/chain.h"
#include "proto/dsse.h"
#include "proto/enrolment.h"
#include "proto/outcomes.h"
#include "proto/parcel.h"
#include "proto/test_log_test.h"
#include "proto/verify/verifier.h"

namespace vouch::verify {

class MemoryFiles final : public Files {
 public:
  std::map<std::string, std::string> files;

  Result<std::string> read(const std::string& path, std::size_t bytes_max) const override {
    const auto file = files.find(path);
    if (file == files.end()) return Error{Errc::not_found, "no " + path};
    if (file->second.size() > bytes_max) return Error{Errc::too_large, path};
    return file->second;
  }
  Result<std::vector<std::string>> list(const std::string& path) const override {
    std::set<std::string> names;
    for (const auto& [name, bytes] : files) {
      if (!name.starts_with(path + "/")) continue;
      const auto rest = name.substr(path.size() + 1);
      names.insert(rest.substr(0, rest.find('/')));
    }
    return std::vector<std::string>(names.begin(), names.end());
  }
};

inline const std::string kAgent = "6f1c2a9e-0b7d-4c53-9a51-2d0e8b3f4c77";
inline const std::string kMachine = "19a05c30e9944d5eafb4a7e391349684";
inline const std::string kBoot = "0b0e8a5e-7a9b-4f7e-9a51-2d0e8b3f4c78";
inline constexpr WallSeconds kStart = 1767225600;  // 2026-01-01T00:00:00Z
inline constexpr std::int64_t kIntervalSeconds = 300;
inline constexpr std::int64_t kRunsPerBundle = 2;

struct StoreFixture {
  using EditBundle = std::function<void(Bundle&)>;

  test::TestLog log;
  SigningKey key = test::key_of(test::kSeed2);
  std::string store_policy = policy_file::write(log.policy());
  MemoryFiles files;
  ChainLink link;
  std::vector<std::string> ids;  // Of the bundles sealed.
  std::vector<std::string> envelopes;
  std::vector<std::uint64_t> leaf_of;        // Leaf index of each bundle.
  std::map<std::string, std::string> blobs;  // Every blob, raw.
  WallMs at = kStart * 1000;
  EditBundle edit = [](Bundle&) {};  // Applied before signing.
  std::string pack = "pack: linux\n";

  StoreFixture() {
    JoinString join;
    join.token_id = std::string(8, 't');
    join.token_secret = std::string(24, 's');
    enrolment::Predicate predicate;
    predicate.agent = kAgent;
    predicate.machine = kMachine;
    const auto envelope = *enrolment::make_request(predicate, join, key);
    const auto request = *enrolment::parse_request(envelope);
    files.files["statements/" + request.statement + ".json"] = envelope;
    append(leaf::StoreStart{"0.1.0", std::string(64, 'd')});
    append(leaf::Enrol{kAgent, kMachine, key.keyid(), base64_encode(key.public_key().spki()),
                       request.statement, request.predicate.token, "local",
                       sha256_hex(store_policy), std::nullopt});
    enrolment_statement = request.statement;
    link = first_link(kAgent, kMachine, key.public_key().spki());
  }

  std::string enrolment_statement;

  void append(leaf::Body body) {
    at += 1000;
    const auto entry = leaf::write({at, std::move(body)});
    REQUIRE(entry);
    log.entries.push_back(*entry);
  }

  std::string put(const std::string& bytes) {
    const auto digest = sha256_hex(bytes);
    blobs[digest] = bytes;
    if (!bytes.empty()) {
      files.files["blobs/sha256/" + digest.substr(0, 2) + "/" + digest + ".zst"] =
          zstd::compress(bytes);
    }
    return digest;
  }

  std::string config() {
    return put(R"({"schedule":[{"anchor":"2026-01-01T00:00:00Z","collector":"access_review",)"
               R"("deadline_s":30,"interval_s":300}]})");
  }

  RunContent content(std::int64_t tick) {
    RunContent run;
    run.collector = {"access_review", "1", std::string(64, 'c')};
    const auto users = put("{\"uid\":" + std::to_string(tick) + ",\"username\":\"root\"}\n");
    run.tables = {{"users", 1, users, false, std::nullopt, std::nullopt}};
    run.policy = put(*write_policy_set({{"linux", put(pack)}}));
    run.engine = "vouch-policy/1";
    const auto findings = put("{\"username\":\"root\"}\n");
    const auto outcomes = *write_outcomes(
        {{"a.fails", "a", OutcomeKind::fail, "", 1, 0, findings, {}},
         {"a.passes", "a", OutcomeKind::pass, "", 0, 0, std::string(kEmptyDigestHex), {}}});
    run.outcomes = {outcomes.rows, put(outcomes.bytes)};
    return run;
  }

  Observation observation(std::int64_t tick) {
    Observation run;
    run.run = "access_review/" + std::to_string(tick);
    run.scheduled = kStart + tick * kIntervalSeconds;
    run.started = *run.scheduled * 1000;
    run.finished = *run.started + 50;
    run.duration_ms = 50;
    run.now = *run.scheduled;
    run.content = content(tick);
    return run;
  }

  Bundle next_bundle() {
    Bundle bundle;
    bundle.agent = {kAgent, "web-01", kMachine, "0.1.0", std::string(64, 'e')};
    bundle.seq = link.next_seq;
    bundle.prev = link.prev;
    bundle.epoch = link.epoch;
    bundle.period_from = (kStart + link.next_seq * kRunsPerBundle * kIntervalSeconds) * 1000;
    bundle.period_to = bundle.period_from + kRunsPerBundle * kIntervalSeconds * 1000;
    bundle.sealed = bundle.period_to;
    bundle.boot_id = kBoot;
    bundle.boot_us = bundle.sealed * 1000;
    bundle.clock_source = "none";
    bundle.config = config();
    bundle.next_due = bundle.sealed + 3600000;
    for (std::int64_t i = 0; i < kRunsPerBundle; ++i) {
      bundle.records.emplace_back(observation(link.next_seq * kRunsPerBundle + i));
    }
    bundle.schedule.expected = bundle.schedule.observed = kRunsPerBundle;
    if (bundle.seq == 0) bundle.enrolment = EnrolmentRef{1, enrolment_statement};
    if (!log.entries.empty() && bundle.seq > 0) {
      const auto head = log.head();
      bundle.log_seen =
          LogSeen{head.origin, static_cast<std::int64_t>(head.size), base64_encode(head.root),
                  checkpoint::open(log.signed_head(), log.vkey)->log_signature};
    }
    return bundle;
  }

  // Seals, stores and logs the next bundle. `signer`: another key than the chain's.
  void seal(const SigningKey* signer = nullptr) {
    Statement statement;
    statement.bundle = next_bundle();
    edit(statement.bundle);
    const auto read = [&](std::string_view sha256) -> Result<std::string> {
      return blobs.contains(std::string(sha256)) ? Result<std::string>(blobs[std::string(sha256)])
                                                 : Error{Errc::not_found, "gone"};
    };
    auto mentions = all_blobs(statement.bundle, read);
    REQUIRE(mentions);
    statement.subject = name_subjects(*std::move(mentions));
    store(statement, signer == nullptr ? key : *signer);
  }

  void store(const Statement& statement, const SigningKey& signer) {
    const auto payload = write_statement(statement);
    if (!payload) FAIL(payload.error().message);
    const auto envelope = *dsse::sign(signer, *payload);
    ids.push_back(dsse::bundle_id(envelope));
    envelopes.push_back(dsse::write(envelope));
    const auto seq = statement.bundle.seq;
    files.files[bundle_path(seq)] = zstd::compress(envelopes.back());
    at = std::max(at, statement.bundle.sealed);
    leaf_of.push_back(log.entries.size());
    append(leaf::Bundle{kAgent, seq, ids.back(), statement.bundle.prev, signer.keyid(),
                        base64_encode(envelope.signature)});
    link = link_after(statement, ids.back(), link.spki);
  }

  static std::string bundle_path(std::int64_t seq) {
    return "bundles/" + kAgent + "/" + std::to_string(seq) + ".json.zst";
  }

  // Changes an envelope at rest.
  void rewrite(std::int64_t seq, const std::string& envelope) {
    files.files[bundle_path(seq)] = zstd::compress(envelope);
  }

  // Writes tiles and checkpoints as the store does.
  void publish() { publish(log, ""); }
  void publish(const test::TestLog& one, const std::string& folder) {
    auto appender = *tile::Appender::open(nullptr, 0, merkle::empty_root());
    auto [next, growth] = appender.append(one.entries);
    for (auto& file : growth.files) files.files[folder + file.path] = std::move(file.bytes);
    files.files[folder + "checkpoint"] = one.signed_head();
    files.files[folder + "checkpoints/" + std::to_string(one.entries.size())] = one.signed_head();
    files.files[folder + "log.vkey"] = note::write_vkey(one.vkey) + "\n";
  }

  Options options() const {
    Options options;
    options.policy = store_policy;
    return options;
  }
  Verdict verify() {
    publish();
    return verify_store(files, options());
  }
};

// The reason of the first failure, wherever it stands; empty if verified.
inline std::string reason_of(const Verdict& verdict) {
  if (!verdict.failures.empty()) return verdict.failures.front().reason;
  for (const auto& host : verdict.hosts) {
    if (host.failure) return host.failure->reason;
  }
  return "";
}

inline std::string where_of(const Verdict& verdict) {
  if (!verdict.failures.empty()) return verdict.failures.front().where;
  for (const auto& host : verdict.hosts) {
    if (host.failure) return host.failure->where;
  }
  return "";
}

}  // namespace vouch::verify
