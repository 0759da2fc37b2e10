// SPDX-License-Identifier: Apache-2.0
// An agent for tests and load generators: makes enrolment requests, valid chains, and every kind of
// invalid parcel, without a host under it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "proto/enrolment.h"
#include "proto/join_string.h"
#include "proto/signing_key.h"
#include "proto/statement.h"

namespace vouch::store {

struct Sealed {
  std::int64_t seq = 0;
  std::string id;
  std::string envelope;
  std::string parcel;
};

class TestAgent {
 public:
  explicit TestAgent(WallMs now);

  // What the agent sends to enrol.
  [[nodiscard]] std::string enrolment_request(const JoinString& join) const;
  // What it says of itself there; for requests of another kind.
  [[nodiscard]] enrolment::Predicate predicate() const;

  // What the first bundle names; without it, something that no log holds.
  void set_enrolment(EnrolmentRef enrolment) { enrolment_ = std::move(enrolment); }

  // Seals the next bundle of the chain, with these blobs attached (besides the configuration, which
  // is sent with the first one). `edit` may spoil the statement before it is signed.
  using Edit = std::function<void(Bundle&)>;
  Sealed seal(const std::vector<std::string>& blobs = {}, const Edit& edit = nullptr);
  // The same, but the chain does not move on: for forks and refused bundles.
  Sealed seal_aside(const std::vector<std::string>& blobs = {}, const Edit& edit = nullptr);
  // A bundle whose last record changes the key; the next one is signed with it.
  Sealed rotate();
  // `count` records that make a bundle larger.
  void set_padding(int count) { padding_ = count; }

  // A parcel of this envelope with exactly these blobs.
  static std::string parcel(const std::string& envelope, const std::vector<std::string>& blobs);
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] std::string keyid() const { return key_.keyid(); }
  [[nodiscard]] const std::string& config() const { return config_; }
  [[nodiscard]] const SigningKey& key() const { return key_; }

 private:
  Bundle draft(const std::vector<std::string>& blobs) const;
  Sealed sign(const Bundle& bundle, const std::vector<std::string>& blobs) const;
  void advance(const Bundle& bundle, const Sealed& sealed);

  std::string id_;
  std::string machine_;
  std::string config_ = R"({"schedule":[]})";
  SigningKey key_;
  EnrolmentRef enrolment_;
  std::int64_t seq_ = 0;
  std::int64_t epoch_ = 0;
  std::string prev_;
  WallMs now_;
  std::int64_t boot_us_ = 1;
  int padding_ = 0;
};

}  // namespace vouch::store
