// SPDX-License-Identifier: Apache-2.0
// The same chain under another log, by an operator's order.
#include "agent/vouchd/fake_world.h"

namespace vouch::agent {
namespace {

Result<RepinReport> repin_to(World& world, FakeLog& log, std::vector<std::string>* sent = nullptr) {
  return repin(
      {world.config.state_dir, world.host}, log.join(), world.clock,
      [&](const JoinString&, const std::string& envelope) {
        if (sent != nullptr) sent->push_back(envelope);
        return log.repin(envelope, world.clock.wall);
      },
      "alice", "the old key is lost");
}

}  // namespace

TEST_CASE("a re-pin keeps the chain and is on record; what waits goes to the new log", "[repin]") {
  World world;
  world.enrol();
  FakeLog next("store.example.com/log2");
  std::vector<std::string> sent;
  {
    const auto agent = world.start();
    REQUIRE(agent->seal());
    world.deliver(agent->state());
    REQUIRE(agent->poll());
    world.clock.advance(3000);
    REQUIRE(agent->stop("SIGTERM"));  // Bundle 1, which the old log never gets.
  }

  const auto report = repin_to(world, next, &sent);

  REQUIRE(report);
  CHECK(report->origin_before == "store.example.com/log1");
  CHECK(report->origin == "store.example.com/log2");
  const auto place = enrolment::parse_request(sent.at(0)).value().predicate.repin.value();
  CHECK(place.next_seq == 1);
  CHECK(place.size == 2);
  std::swap(world.log, next);
  const auto agent = world.start();
  CHECK(agent->state().identity.policy == world.log.policy());
  REQUIRE(agent->seal());
  world.deliver(agent->state());
  REQUIRE(agent->poll());
  CHECK(agent->state().bundles.in_state(BundleState::waiting).value().empty());
  const auto repins = of_kind<LogRepin>(check_chain(agent->state()));
  REQUIRE(repins.size() == 1);
  CHECK(repins[0].from.origin == "store.example.com/log1");
  CHECK(repins[0].from.size == 2);
  CHECK(repins[0].to == world.log.vkey());
  CHECK(repins[0].by == "alice");
}

TEST_CASE("a re-pin whose answer got lost is asked for with the same bytes", "[repin]") {
  World world;
  world.enrol();
  { REQUIRE(world.start()->stop("once")); }
  FakeLog next("store.example.com/log2");
  std::vector<std::string> sent;
  const auto lost = repin(
      {world.config.state_dir, world.host}, next.join(), world.clock,
      [&](const JoinString&, const std::string& envelope) {
        sent.push_back(envelope);
        return Result<EnrolAnswer>(Error{Errc::unavailable, "lost"});
      },
      "alice", "why");
  CHECK(lost.error().code == Errc::unavailable);

  REQUIRE(repin_to(world, next, &sent));

  CHECK(sent.at(0) == sent.at(1));
}

TEST_CASE("a re-pin needs an enrolment, another log, and the pin", "[repin]") {
  World world;
  FakeLog next("store.example.com/log2");
  CHECK(repin_to(world, next).error().code == Errc::not_found);
  world.enrol();
  const auto policy = [&] {
    return State::open(world.config.state_dir, world.host.machine, 0).value()->identity.policy;
  };
  const auto before = policy();

  CHECK(repin_to(world, world.log).error().code == Errc::denied);
  FakeLog other("store.example.com/log3");
  const auto wrong = repin(
      {world.config.state_dir, world.host}, next.join(), world.clock,
      [&](const JoinString&, const std::string& envelope) {
        return other.repin(envelope, world.clock.wall);
      },
      "alice", "why");
  CHECK(wrong.error().code == Errc::denied);

  CHECK(policy() == before);
}

}  // namespace vouch::agent
