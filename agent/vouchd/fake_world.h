// SPDX-License-Identifier: Apache-2.0
// A small world for tests of the agent: a clock that stands still, a runner that answers what it is
// told, and a log that signs real receipts.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "agent/vouchd/agent.h"
#include "agent/vouchd/direct_runner.h"
#include "agent/vouchd/enrol.h"
#include "core/digest.h"
#include "core/encoding.h"
#include "core/file.h"
#include "proto/chain.h"
#include "proto/dsse.h"
#include "proto/enrolment.h"
#include "proto/leaf.h"
#include "proto/parcel.h"
#include "proto/receipt.h"
#include "proto/signing_key.h"
#include "proto/subjects.h"
#include "proto/succession.h"

namespace vouch::agent {

class FakeClock final : public Clock {
 public:
  mutable WallMs wall = 1790000000000;  // 2026-09-21
  mutable std::int64_t up_us = 1'000'000'000;
  std::int64_t slept_us = 0;
  std::int64_t creep_ms = 0;  // How much time passes with each look at the wall clock.
  WallMs wall_ms() const override {
    wall += creep_ms;
    up_us += creep_ms * 1000;
    return wall;
  }
  std::int64_t monotonic_us() const override { return up_us - slept_us; }
  std::int64_t boot_us() const override { return up_us; }
  void suspend(std::int64_t ms) {
    advance(ms);
    slept_us += ms * 1000;
  }
  void advance(std::int64_t ms) {
    wall += ms;
    up_us += ms * 1000;
  }
};

class FakeRunner final : public Runner {
 public:
  explicit FakeRunner(FakeClock& clock) : clock_(clock) {}
  std::vector<std::string> users{"root"};
  std::optional<RunViolation> violation;
  bool caches = false;  // Answers "unchanged" whenever it may.
  int runs = 0;

  RunReport run(const Collector& collector, const RunRequest& request) override;
  // Collectors are real as far as they describe themselves.
  Result<std::string> describe(const std::string& name, const std::string& program,
                               const std::string& input) override {
    return DirectRunner(clock_).describe(name, program, input);
  }
  void cancel() override {}

 private:
  FakeClock& clock_;
};

// A log of one store. What it signs is real; a test may make it lie.
class FakeLog {
 public:
  explicit FakeLog(const std::string& origin = "store.example.com/log1");
  const std::string& policy() const { return policy_; }
  std::string vkey() const { return note::write_vkey(vkey_); }
  std::uint64_t size() const { return hashes_.size(); }
  const std::vector<merkle::Hash>& leaf_hashes() const { return hashes_; }

  std::uint64_t append(WallMs at, leaf::Body body);
  void rewrite_last(std::string entry);
  std::string receipt(std::uint64_t index, std::uint64_t size) const;
  std::string consistency(std::uint64_t from, std::uint64_t to) const;

  // The note that ends this log at `size`, with the root of this log or of another.
  std::string succeeded_by(const FakeLog& next, std::uint64_t size) const {
    return end_at(next, size, *this);
  }
  std::string end_at_root_of(const FakeLog& other, const FakeLog& next) const {
    return end_at(next, other.size(), other);
  }

  // As POST /v1/enroll does.
  Result<EnrolAnswer> enrol(const std::string& envelope, WallMs at);
  // The same for a re-pin.
  Result<EnrolAnswer> repin(const std::string& envelope, WallMs at);
  JoinString join() const;

 private:
  std::string end_at(const FakeLog& next, std::uint64_t size, const FakeLog& rooted_in) const;

  SigningKey key_;
  note::VerifierKey vkey_;
  std::string policy_;
  std::vector<std::string> entries_;
  std::vector<merkle::Hash> hashes_;
};

class World {
 public:
  World();
  ~World() { std::filesystem::remove_all(directory); }
  World(const World&) = delete;

  void write(const std::string& name, const std::string& text) const;
  std::unique_ptr<Agent> open();
  std::unique_ptr<Agent> start();
  EnrolReport enrol();
  // The store takes the bundle: its leaf's index.
  std::uint64_t log_bundle(State& state, std::int64_t seq);
  void put_receipt(std::int64_t seq, const std::string& suffix, const std::string& bytes) const;
  void put_file(const std::string& name, const std::string& bytes) const;
  // Takes every waiting bundle, in order, with receipt and proof.
  void deliver(State& state);

  std::string directory;
  FakeClock clock;
  FakeRunner runner{clock};
  HostLoad* load = nullptr;
  FakeLog log;
  Config config;
  HostFacts host{"web-01",
                 std::string(12, '0') + "4" + std::string(3, '0') + "8" + std::string(15, '0'),
                 "6f1c2a9e-0b7d-4c53-9a51-2d0e8b3f4c77"};
};

// Lets the daemon's loop run, by the clock of the world, for so long.
void live(World& world, Agent& agent, std::int64_t ms);

// Reads the whole chain back as a verifier would; fails the test at the first fault. Returns all
// records in order.
std::vector<Record> check_chain(State& state);

template <typename Kind>
std::vector<Kind> of_kind(const std::vector<Record>& records) {
  std::vector<Kind> found;
  for (const auto& record : records) {
    if (const auto* one = std::get_if<Kind>(&record)) found.push_back(*one);
  }
  return found;
}

}  // namespace vouch::agent
