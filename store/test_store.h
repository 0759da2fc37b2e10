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
  explicit TestStore(StoreOptions options = {}) {
    REQUIRE(Store::init(path(), settings(), clock));
    reopen(std::move(options));
  }

  static Settings settings() {
    Settings settings;
    settings.origin = "store.example.com/log1";
    settings.host = "localhost";
    settings.address = "127.0.0.1";
    settings.port = 0;
    return settings;
  }
  [[nodiscard]] std::string path() const { return dir_ / "s"; }

  void reopen(StoreOptions options = {}) {
    store_.reset();
    options.timer = false;  // Tests call tend() themselves.
    auto store = Store::open(path(), clock, std::move(options));
    REQUIRE(store);
    store_ = *std::move(store);
  }
  void close() { store_.reset(); }
  Handler& handler() { return store_->handler(); }
  Store& store() { return *store_; }

  Response post_drop(const std::string& notice) {
    const auto upload =
        handler().upload({"POST", "/v1/drops", "application/json", "", "", notice.size(), ""});
    REQUIRE(upload);
    (void)upload->feed(notice);
    std::promise<Response> answer;
    upload->finish([&answer](const ResponseMaker& make) { answer.set_value(make()); });
    return answer.get_future().get();
  }
  // Sends a body in pieces of `piece` bytes, as the network would.
  Response post_parcel(const std::string& parcel, std::size_t piece = 1u << 16) {
    Request head{"POST", "/v1/parcels", "application/vnd.vouch.parcel+zstd", "", "", parcel.size(),
                 ""};
    const auto upload = handler().upload(head);
    REQUIRE(upload);
    for (std::size_t i = 0; i < parcel.size() && upload->feed(parcel.substr(i, piece));) i += piece;
    std::promise<Response> answer;
    upload->finish([&answer](const ResponseMaker& make) { answer.set_value(make()); });
    return answer.get_future().get();
  }
  Response post_enroll(const std::string& body) {
    std::promise<Response> answer;
    handler().handle_async({"POST", "/v1/enroll", "application/json", "", "", body.size(), body},
                           [&answer](const ResponseMaker& make) { answer.set_value(make()); });
    return answer.get_future().get();
  }
  Response get(const std::string& target, const std::string& bearer = "") {
    Request request{"GET", target, "", "", bearer.empty() ? "" : "Bearer " + bearer, {}, ""};
    return handler().handle(request);
  }

  Index index() {
    auto index = Index::open(path() + "/" + std::string(layout::kDatabase));
    REQUIRE(index);
    return *std::move(index);
  }
  // A join string with a new token; `token` keeps it for those who look closer.
  JoinString join(std::int64_t uses = 1, WallMs lifetime_ms = 86400000) {
    const auto presented = new_token();
    auto writer = index();
    REQUIRE(writer.add_token({presented.id, Role::agent, presented.secret, uses,
                              clock.now + lifetime_ms, "env=test", "local"}));
    const auto vkey = read_vkey(path());
    REQUIRE(vkey);
    JoinString join;
    join.host = "localhost";
    join.token_id = hex_decode(presented.id).value();
    join.token_secret = presented.secret;
    join.pin = sha256(note::write_vkey(*vkey));
    return join;
  }
  std::string auditor() {
    const auto presented = new_token();
    auto writer = index();
    REQUIRE(writer.add_token({presented.id, Role::auditor, kept_secret(Role::auditor, presented), 1,
                              clock.now + 86400000, "", "local"}));
    return write_token(presented);
  }
  // A new agent, enrolled.
  TestAgent agent() {
    TestAgent agent(clock.now);
    const auto answer = post_enroll(agent.enrolment_request(join()));
    REQUIRE(answer.status == 201);
    return agent;
  }
  policy_file::Policy policy() {
    const auto vkey = read_vkey(path());
    REQUIRE(vkey);
    auto policy = policy_file::parse(policy_text(*vkey, settings()));
    REQUIRE(policy);
    return *std::move(policy);
  }

  ManualClock clock;

 private:
  TestDirectory dir_;
  std::unique_ptr<Store> store_;
};

inline Problem problem_of(const Response& response) {
  CAPTURE(response.status, response.body);
  auto problem = parse_problem(response.body);
  REQUIRE(problem);
  CHECK(problem_status(problem->kind) == response.status);
  return *std::move(problem);
}

inline std::string member(const Problem& problem, const char* name) {
  const auto found = problem.members.find(name);
  return found == problem.members.end() ? "" : json::write(found->second);
}

}  // namespace vouch::store
