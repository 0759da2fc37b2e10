// SPDX-License-Identifier: Apache-2.0
#include "store/test_agent.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "core/digest.h"
#include "core/encoding.h"
#include "core/random.h"
#include "proto/chain.h"
#include "proto/dsse.h"
#include "proto/parcel.h"
#include "proto/subjects.h"

namespace vouch::store {
namespace {

constexpr WallMs kBetweenBundlesMs = 3000;
constexpr const char* kBootId = "0e7a1c7e-5d2b-4b7e-9a53-0f4f8d1c2b3a";

template <typename T>
T must(Result<T> result, const char* what) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "test agent: %s: %s\n", what, result.error().message.c_str());
  std::abort();
}

}  // namespace

TestAgent::TestAgent(WallMs now)
    : id_(uuid_v4()),
      machine_(hex_encode(random_bytes(16))),
      key_(must(SigningKey::generate(), "key")),
      enrolment_{0, sha256_hex("enrolment")},
      prev_(kNoPrev),
      now_(now) {}

enrolment::Predicate TestAgent::predicate() const {
  enrolment::Predicate predicate;
  predicate.agent = id_;
  predicate.machine = machine_;
  predicate.host = json::Object{{"name", "test-" + id_.substr(0, 8)}};
  return predicate;
}

std::string TestAgent::enrolment_request(const JoinString& join) const {
  return must(enrolment::make_request(predicate(), join, key_), "enrolment");
}

Bundle TestAgent::draft(const std::vector<std::string>& blobs) const {
  Bundle bundle;
  bundle.agent = {id_, "test-" + id_.substr(0, 8), machine_, VOUCH_VERSION, sha256_hex("vouchd")};
  bundle.seq = seq_;
  bundle.prev = prev_;
  bundle.epoch = epoch_;
  bundle.period_from = now_;
  bundle.period_to = now_ + kBetweenBundlesMs;
  bundle.sealed = bundle.period_to;
  bundle.boot_id = kBootId;
  bundle.boot_us = boot_us_ + kBetweenBundlesMs * 1000;
  bundle.clock_source = "none";
  bundle.config = sha256_hex(config_);
  bundle.next_due = bundle.sealed + 3600 * 1000;
  if (seq_ == 0) bundle.enrolment = enrolment_;
  bundle.records.emplace_back(Heartbeat{bundle.sealed});
  for (int i = 0; i < padding_; ++i) {
    bundle.records.emplace_back(AgentStop{bundle.sealed, "padding for a bundle of the usual size"});
  }
  for (std::size_t i = 0; i < blobs.size(); ++i) {
    Attachment attachment;
    attachment.at = bundle.sealed;
    attachment.file = "file-" + std::to_string(i);
    attachment.sha256 = sha256_hex(blobs[i]);
    attachment.media_type = "text/plain";
    attachment.size = static_cast<std::int64_t>(blobs[i].size());
    attachment.title = "a file";
    attachment.by = "tester";
    attachment.controls = {"a-control"};
    attachment.effective = bundle.sealed / 1000;
    bundle.records.emplace_back(std::move(attachment));
  }
  return bundle;
}

Sealed TestAgent::sign(const Bundle& bundle, const std::vector<std::string>& blobs) const {
  Statement statement;
  statement.bundle = bundle;
  statement.subject = name_subjects(blobs_of_bundle(bundle));
  const auto payload = must(write_statement(statement), "statement");
  const auto envelope = must(dsse::sign(key_, payload), "sign");
  std::vector<std::string> sent = blobs;
  if (bundle.seq == 0) sent.push_back(config_);
  Sealed sealed{bundle.seq, dsse::bundle_id(envelope), dsse::write(envelope), ""};
  sealed.parcel = parcel(sealed.envelope, sent);
  return sealed;
}

std::string TestAgent::parcel(const std::string& envelope, const std::vector<std::string>& blobs) {
  std::vector<ParcelBlob> members;
  for (const auto& blob : blobs) members.push_back({sha256_hex(blob), blob});
  return must(write_parcel(envelope, std::move(members)), "parcel");
}

void TestAgent::advance(const Bundle& bundle, const Sealed& sealed) {
  ++seq_;
  prev_ = sealed.id;
  now_ = bundle.period_to;
  boot_us_ = bundle.boot_us;
}

Sealed TestAgent::seal(const std::vector<std::string>& blobs, const Edit& edit) {
  Bundle bundle = draft(blobs);
  if (edit) edit(bundle);
  Sealed sealed = sign(bundle, blobs);
  advance(bundle, sealed);
  return sealed;
}

Sealed TestAgent::seal_aside(const std::vector<std::string>& blobs, const Edit& edit) {
  Bundle bundle = draft(blobs);
  if (edit) edit(bundle);
  return sign(bundle, blobs);
}

Sealed TestAgent::rotate() {
  SigningKey next = must(SigningKey::generate(), "key");
  Bundle bundle = draft({});
  bundle.records.emplace_back(
      must(make_key_rotate(bundle.sealed, id_, epoch_ + 1, key_.public_key(), next), "rotate"));
  Sealed sealed = sign(bundle, {});
  advance(bundle, sealed);
  ++epoch_;
  key_ = std::move(next);
  return sealed;
}

}  // namespace vouch::store
