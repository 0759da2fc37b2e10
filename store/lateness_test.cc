// SPDX-License-Identifier: Apache-2.0
// Silence, return and delay, on record in the log. The clock is the test's.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "proto/leaf.h"
#include "store/test_store.h"

using namespace vouch;
using namespace vouch::store;

namespace {

constexpr WallMs kMinute = 60 * 1000;
constexpr WallMs kGrace = 15 * kMinute;

std::vector<leaf::Leaf> leaves(TestStore& store) {
  const auto size = store.index().log_state().value().size;
  const auto bytes =
      store.get("/v1/tile/entries/000.p/" + std::to_string(size), store.auditor()).body;
  std::vector<leaf::Leaf> found;
  const auto entries = tile::parse_entries(bytes, size);
  REQUIRE(entries);
  for (const auto& entry : *entries) found.push_back(leaf::parse(entry).value());
  return found;
}

template <typename Body>
std::vector<Body> leaves_of(TestStore& store) {
  std::vector<Body> found;
  for (const auto& leaf : leaves(store)) {
    if (const auto* body = std::get_if<Body>(&leaf.body)) found.push_back(*body);
  }
  return found;
}

WallMs next_due(TestStore& store, const TestAgent& agent) {
  return store.index().find_agent(agent.id()).value()->next_due;
}

}  // namespace

TEST_CASE("who breaks its promise is overdue once, and recovers with its next bundle",
          "[lateness]") {
  TestStore store;
  auto agent = store.agent();
  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);
  const WallMs due = next_due(store, agent);

  store.clock.now = due + kGrace;
  REQUIRE(store.store().tend());
  CHECK(leaves_of<leaf::Overdue>(store).empty());  // Not yet.
  store.clock.now = due + kGrace + 1;
  REQUIRE(store.store().tend());
  store.clock.now += 24 * 60 * kMinute;
  REQUIRE(store.store().tend());

  const auto overdue = leaves_of<leaf::Overdue>(store);
  REQUIRE(overdue.size() == 1);
  CHECK(overdue[0].agent == agent.id());
  CHECK(overdue[0].seq == 1);
  CHECK(overdue[0].next_due == due);
  CHECK(overdue[0].grace_s == 900);
  const auto leaf = store.index().lateness(agent.id()).value().overdue_leaf;
  REQUIRE(leaf);
  CHECK(std::holds_alternative<leaf::Overdue>(leaves(store)[*leaf].body));

  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);
  const auto recovered = leaves_of<leaf::Recovered>(store);
  REQUIRE(recovered.size() == 1);
  CHECK(recovered[0].seq == 1);
  CHECK(recovered[0].overdue == static_cast<std::int64_t>(*leaf));
  CHECK_FALSE(store.index().lateness(agent.id()).value().overdue_leaf);
}

TEST_CASE("an agent that catches up is late, not silent", "[lateness]") {
  TestStore store;
  auto agent = store.agent();
  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);
  const auto old = agent.seal();
  store.clock.now += 48 * 60 * kMinute;
  REQUIRE(store.post_parcel(old.parcel).status == 201);
  CHECK(next_due(store, agent) < store.clock.now - kGrace);

  REQUIRE(store.store().tend());
  CHECK(leaves_of<leaf::Overdue>(store).empty());
  store.clock.now += kGrace + 1;
  REQUIRE(store.store().tend());
  CHECK(leaves_of<leaf::Overdue>(store).size() == 1);
}

TEST_CASE("a bundle that comes long after it was sealed gets a late leaf", "[lateness]") {
  TestStore store;
  auto agent = store.agent();
  REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);
  CHECK(leaves_of<leaf::Late>(store).empty());
  WallMs sealed = 0;
  const auto late = agent.seal({}, [&](Bundle& bundle) { sealed = bundle.sealed; });
  const auto on_time = agent.seal();  // Three seconds younger.

  store.clock.now = sealed + 60 * kMinute + 1;
  REQUIRE(store.post_parcel(late.parcel).status == 201);
  REQUIRE(store.post_parcel(on_time.parcel).status == 201);

  const auto found = leaves_of<leaf::Late>(store);
  REQUIRE(found.size() == 1);
  CHECK(found[0].seq == 1);
  CHECK(found[0].late_s == 3600);
  CHECK(store.index().lateness(agent.id()).value().late == 1);
  CHECK(store.post_parcel(late.parcel).status == 200);  // Known: it is not late again.
  CHECK(leaves_of<leaf::Late>(store).size() == 1);
}

TEST_CASE("who never sent a bundle promised none", "[lateness]") {
  TestStore store;
  auto agent = store.agent();
  store.clock.now += 7 * 24 * 60 * kMinute;

  REQUIRE(store.store().tend());

  CHECK(leaves_of<leaf::Overdue>(store).empty());
}

TEST_CASE("silence of many is noted in full", "[lateness]") {
  TestStore store;
  for (int i = 0; i < 20; ++i) {
    auto agent = store.agent();
    REQUIRE(store.post_parcel(agent.seal().parcel).status == 201);
  }
  store.clock.now += 24 * 60 * kMinute;

  REQUIRE(store.store().tend());

  CHECK(leaves_of<leaf::Overdue>(store).size() == 20);
}
