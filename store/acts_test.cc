// SPDX-License-Identifier: Apache-2.0
// What people do from the command line, as leaves of the log.
#include <catch2/catch.hpp>
#include <string>
#include <thread>

#include "core/zstd.h"
#include "proto/leaf.h"
#include "store/commands.h"
#include "store/orders.h"
#include "store/running_server.h"
#include "store/test_store.h"

using namespace vouch;
using namespace vouch::store;

namespace {

// The newest leaf of the log.
template <typename Body>
Body last_leaf(TestStore& store, const std::string& auditor) {
  const auto size = store.index().log_state().value().size;
  const auto bytes = store.get("/v1/tile/entries/000.p/" + std::to_string(size), auditor).body;
  const auto entries = tile::parse_entries(bytes, size);
  REQUIRE(entries);
  const auto leaf = leaf::parse(entries->back());
  REQUIRE(leaf);
  REQUIRE(std::holds_alternative<Body>(leaf->body));
  return std::get<Body>(leaf->body);
}

Order order_for(const TestAgent& agent, Order::Act act) {
  Order order;
  order.act = act;
  order.agent = agent.id();
  return order;
}

}  // namespace

TEST_CASE("a revoked key signs no further bundle, and what it signed before stays", "[acts]") {
  TestStore store;
  auto agent = store.agent();
  const auto first = agent.seal();
  REQUIRE(store.post_parcel(first.parcel).status == 201);
  auto order = order_for(agent, Order::Act::revoke);
  order.reason = "stolen from the laptop";

  const auto answer = store.store().carry_out(order);

  REQUIRE(answer);
  CHECK(answer->done);
  const auto auditor = store.auditor();
  const auto leaf = last_leaf<leaf::Revoke>(store, auditor);
  CHECK(leaf.agent == agent.id());
  CHECK(leaf.keyid == agent.keyid());
  CHECK(leaf.from_seq == 1);
  CHECK(leaf.by == "local");
  CHECK(store.get("/v1/blobs/sha256/" + leaf.note, auditor).body == "stolen from the laptop");
  CHECK(problem_of(store.post_parcel(agent.seal().parcel)).kind == ProblemKind::revoked);
  CHECK(store.post_parcel(first.parcel).status == 200);
  CHECK(store.index().find_agent(agent.id()).value()->state == AgentState::revoked);
}

TEST_CASE("a key of an earlier epoch is revoked by its id", "[acts]") {
  TestStore store;
  auto agent = store.agent();
  const auto old_key = agent.keyid();
  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);
  REQUIRE(store.post_parcel(agent.rotate().parcel).status == 201);
  Order order;
  order.keyid = old_key;
  order.seq = 1;

  REQUIRE(store.store().carry_out(order).value().done);

  CHECK(last_leaf<leaf::Revoke>(store, store.auditor()).from_seq == 1);
  CHECK(store.post_parcel(agent.seal().parcel).status == 201);  // Signed by the new one.
}

TEST_CASE("a decommissioned agent sends nothing more and is not missed", "[acts]") {
  TestStore store;
  auto agent = store.agent();
  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);
  const auto order = order_for(agent, Order::Act::decommission);

  REQUIRE(store.store().carry_out(order).value().done);

  const auto leaf = last_leaf<leaf::Decommission>(store, store.auditor());
  CHECK(leaf.last_seq == 0);
  CHECK(leaf.note == kEmptyDigestHex);
  CHECK(problem_of(store.post_parcel(agent.seal().parcel)).kind == ProblemKind::revoked);
  CHECK_FALSE(store.store().carry_out(order).value().done);
  const auto size = store.index().log_state().value().size;
  store.clock.now += 48 * 3600 * 1000;
  REQUIRE(store.store().tend());
  CHECK(store.index().log_state().value().size == size);
}

TEST_CASE("an order about nobody, or in nobody's name, changes nothing", "[acts]") {
  TestStore store;
  auto agent = store.agent();
  const auto size = store.index().log_state().value().size;
  auto nobody = order_for(TestAgent(store.clock.now), Order::Act::revoke);
  auto nameless = order_for(agent, Order::Act::decommission);
  nameless.by = "mallory";
  Order unknown_key;
  unknown_key.keyid = TestAgent(store.clock.now).keyid();
  auto early = order_for(agent, Order::Act::drop);
  early.seq = 5;

  for (const auto& order : {nobody, nameless, unknown_key, early}) {
    const auto answer = store.store().carry_out(order);
    REQUIRE(answer);
    CHECK_FALSE(answer->done);
    CHECK_FALSE(answer->message.empty());
  }
  CHECK(store.index().log_state().value().size == size);
}

TEST_CASE("a command beside a serving store is carried out by it", "[acts]") {
  TestStore store;
  auto agent = store.agent();
  int code = -1;
  std::thread command([&] { code = command_revoke({agent.id(), "--dir", store.path()}); });
  while (store.index().open_orders().value().empty()) std::this_thread::yield();
  REQUIRE(store.store().tend());
  command.join();

  CHECK(code == kExitOk);
  CHECK(last_leaf<leaf::Revoke>(store, store.auditor()).agent == agent.id());
  CHECK(store.index().open_orders().value().empty());
}

TEST_CASE("a command without a serving store opens it itself", "[acts]") {
  TestStore store;
  auto agent = store.agent();
  store.close();

  CHECK(command_decommission({agent.id(), "--dir", store.path(), "--reason", "sold"}) == kExitOk);
  CHECK(command_decommission({agent.id(), "--dir", store.path()}) == kExitFailed);
  CHECK(command_revoke({"not-an-agent", "--dir", store.path()}) == kExitUsage);
  CHECK(command_drop({agent.id(), "x", "--dir", store.path()}) == kExitUsage);

  store.reopen();
  CHECK(store.index().find_agent(agent.id()).value()->state == AgentState::decommissioned);
}

TEST_CASE("orders and answers are read back as they were written", "[acts]") {
  Order order{Order::Act::drop, "a", "k", 7, "local", "why\n\"so\""};
  const auto read = parse_order(write_order(order));
  REQUIRE(read);
  CHECK(write_order(*read) == write_order(order));
  CHECK_FALSE(parse_order(R"({"act":"burn","agent":"","keyid":"","by":"","reason":""})"));
  CHECK_FALSE(parse_order("{}"));
  CHECK(parse_answer(write_answer({true, "x"})).value().message == "x");
}

TEST_CASE("a token with several uses enrols as many agents, with its labels, until revoked",
          "[acts]") {
  TestStore store;
  const auto join = store.join(3);
  const auto enrol = [&] {
    return store.post_enroll(TestAgent(store.clock.now).enrolment_request(join)).status;
  };
  CHECK(enrol() == 201);
  CHECK(enrol() == 201);
  const auto id = hex_encode(join.token_id);
  CHECK(store.index().agents_of_token(id).value() == 2);
  CHECK(store.index().find_token(id).value()->uses_left == 1);
  const auto agents = store.index().agents().value();
  for (const auto& agent : agents) CHECK(agent.labels == "env=test");

  CHECK(command_token({"revoke", id, "--dir", store.path()}) == kExitOk);

  CHECK(enrol() == 401);
  CHECK(command_token({"list", "--dir", store.path()}) == kExitOk);
  CHECK(command_token({"revoke", "0000000000000000", "--dir", store.path()}) == kExitFailed);
  CHECK(command_token({"burn", "--dir", store.path()}) == kExitUsage);
}

TEST_CASE("a revoked auditor's token reads nothing", "[acts]") {
  TestStore store;
  auto agent = store.agent();
  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);
  const auto auditor = store.auditor();
  const auto target = "/v1/blobs/sha256/" + sha256_hex(agent.config());
  REQUIRE(store.get(target, auditor).status == 200);

  REQUIRE(store.index().revoke_token(parse_token(auditor).value().id));

  CHECK(store.get(target, auditor).status == 401);
}
