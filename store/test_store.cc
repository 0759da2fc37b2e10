// SPDX-License-Identifier: Apache-2.0
#include "store/test_store.h"

#include <utility>

#include <catch2/catch.hpp>

namespace vouch::store {

TestStore::TestStore(StoreOptions options) {
  REQUIRE(Store::init(path(), settings(), clock));
  reopen(std::move(options));
}

void TestStore::reopen(StoreOptions options) {
  store_.reset();
  options.timer = false;  // Tests call tend() themselves.
  auto store = Store::open(path(), clock, std::move(options));
  REQUIRE(store);
  store_ = *std::move(store);
}

Response TestStore::post_drop(const std::string& notice) {
  const auto upload =
      handler().upload({"POST", "/v1/drops", "application/json", "", "", notice.size(), ""});
  REQUIRE(upload);
  (void)upload->feed(notice);
  std::promise<Response> answer;
  upload->finish([&answer](const ResponseMaker& make) { answer.set_value(make()); });
  return answer.get_future().get();
}

Response TestStore::post_parcel(const std::string& parcel, std::size_t piece) {
  Request head{"POST", "/v1/parcels", "application/vnd.vouch.parcel+zstd", "", "", parcel.size(),
               ""};
  const auto upload = handler().upload(head);
  REQUIRE(upload);
  for (std::size_t i = 0; i < parcel.size() && upload->feed(parcel.substr(i, piece));) i += piece;
  std::promise<Response> answer;
  upload->finish([&answer](const ResponseMaker& make) { answer.set_value(make()); });
  return answer.get_future().get();
}

Response TestStore::post_enroll(const std::string& body) {
  std::promise<Response> answer;
  handler().handle_async({"POST", "/v1/enroll", "application/json", "", "", body.size(), body},
                         [&answer](const ResponseMaker& make) { answer.set_value(make()); });
  return answer.get_future().get();
}

Response TestStore::get(const std::string& target, const std::string& bearer) {
  Request request{"GET", target, "", "", bearer.empty() ? "" : "Bearer " + bearer, {}, ""};
  return handler().handle(request);
}

Index TestStore::index() {
  auto index = Index::open(path() + "/" + std::string(layout::kDatabase));
  REQUIRE(index);
  return *std::move(index);
}

JoinString TestStore::join(std::int64_t uses, WallMs lifetime_ms) {
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

std::string TestStore::auditor() {
  const auto presented = new_token();
  auto writer = index();
  REQUIRE(writer.add_token({presented.id, Role::auditor, kept_secret(Role::auditor, presented), 1,
                            clock.now + 86400000, "", "local"}));
  return write_token(presented);
}

TestAgent TestStore::agent() {
  TestAgent agent(clock.now);
  const auto answer = post_enroll(agent.enrolment_request(join()));
  REQUIRE(answer.status == 201);
  return agent;
}

policy_file::Policy TestStore::policy() {
  const auto vkey = read_vkey(path());
  REQUIRE(vkey);
  auto policy = policy_file::parse(policy_text(*vkey, settings()));
  REQUIRE(policy);
  return *std::move(policy);
}

Problem problem_of(const Response& response) {
  CAPTURE(response.status, response.body);
  auto problem = parse_problem(response.body);
  REQUIRE(problem);
  CHECK(problem_status(problem->kind) == response.status);
  return *std::move(problem);
}

std::string member(const Problem& problem, const char* name) {
  const auto found = problem.members.find(name);
  return found == problem.members.end() ? "" : json::write(found->second);
}

}  // namespace vouch::store
