// SPDX-License-Identifier: Apache-2.0
// A store in a directory of its own, talked to through its handler: everything but the network.
#pragma once

#include <future>
#include <memory>
#include <optional>
#include <string>

#include <catch2/catch.hpp>

#include "core/digest.h"
#include "core/encoding.h"
#include "proto/join_string.h"
#include "proto/problem.h"
#include "proto/receipt.h"
#include "store/layout.h"
#include "store/store.h"
#include "store/test_agent.h"
#include "store/test_directory.h"
#include "store/token.h"

namespace vouch::store {

class ManualClock final : public Clock {
 public:
  WallMs wall_ms() const override { return now; }
  std::int64_t monotonic_us() const override { return now * 1000; }
  std::int64_t boot_us() const override { return now * 1000; }
  WallMs now = 1795300000000;  // 2026-11-21
};

class TestStore {
 public:
  explicit TestStore(StoreOptions options = {});

  static Settings settings() {
    Settings settings;
    settings.origin = "store.example.com/log1";
    settings.host = "localhost";
    settings.address = "127.0.0.1";
    settings.port = 0;
    return settings;
  }
  [[nodiscard]] std::string path() const { return dir_ / "s"; }

  void reopen(StoreOptions options = {});
  void close() { store_.reset(); }
  Handler& handler() { return store_->handler(); }
  Store& store() { return *store_; }

  Response post_drop(const std::string& notice);
  // Sends a body in pieces of `piece` bytes, as the network would.
  Response post_parcel(const std::string& parcel, std::size_t piece = 1u << 16);
  Response post_enroll(const std::string& body);
  Response get(const std::string& target, const std::string& bearer = "");

  Index index();
  // A join string with a new token; `token` keeps it for those who look closer.
  JoinString join(std::int64_t uses = 1, WallMs lifetime_ms = 86400000);
  std::string auditor();
  // A new agent, enrolled.
  TestAgent agent();
  policy_file::Policy policy();

  ManualClock clock;

 private:
  TestDirectory dir_;
  std::unique_ptr<Store> store_;
};

Problem problem_of(const Response& response);

std::string member(const Problem& problem, const char* name);

}  // namespace vouch::store
