// SPDX-License-Identifier: Apache-2.0
// Enrolment: what is checked before anything is kept, a second try, and who may have the state.
#include "agent/vouchd/enrol.h"

#include <sys/stat.h>

#include "agent/vouchd/fake_world.h"

namespace vouch::agent {

TEST_CASE("enrolment checks the answer before it keeps anything", "[enrol]") {
  World world;
  FakeLog other;
  const auto attempt = [&](const JoinString& join, FakeLog& log, bool cut) {
    return enrol({world.config.state_dir, world.host}, join, world.clock,
                 [&](const JoinString&, const std::string& envelope) {
                   auto answer = log.enrol(envelope, world.clock.wall);
                   if (cut) answer->body.pop_back();
                   return answer;
                 });
  };

  CHECK(attempt(world.log.join(), other, false).error().code == Errc::denied);  // Another log.
  CHECK(attempt(world.log.join(), world.log, true).error().code == Errc::denied);
  CHECK_FALSE(file_exists(world.config.state_dir + "/store.json"));

  const auto agent =
      State::open(world.config.state_dir, world.host.machine, 0).value()->identity.agent;
  const auto good = attempt(world.log.join(), world.log, false);
  REQUIRE(good);
  CHECK(good->agent == agent);  // The same id and key were offered all the time.
  CHECK(attempt(world.log.join(), world.log, false).error().code == Errc::exists);
}

TEST_CASE("a chain that was sealed before enrolment is set aside and named", "[enrol]") {
  World world;
  std::string first;
  {
    const auto agent = world.start();
    first = agent->state().identity.agent;
    REQUIRE(agent->stop("once"));
  }

  const auto report = world.enrol();

  CHECK(report.predecessor == first);
  CHECK(report.agent != first);
  CHECK(file_exists(world.config.state_dir + "/previous-" + first + "/agent.db"));
  const auto agent = world.start();
  REQUIRE(agent->seal());
  check_chain(agent->state());
}

TEST_CASE("a try again sends the same request, and names the predecessor still", "[enrol]") {
  World world;
  std::string first;
  {
    const auto agent = world.start();
    first = agent->state().identity.agent;
    REQUIRE(agent->stop("once"));
  }
  std::vector<std::string> sent;
  const auto lost = [&](const JoinString& join) {
    CHECK_FALSE(enrol({world.config.state_dir, world.host}, join, world.clock,
                      [&](const JoinString&, const std::string& envelope) -> Result<EnrolAnswer> {
                        sent.push_back(envelope);
                        return Error{Errc::unavailable, "the answer got lost"};
                      }));
  };
  auto other = world.log.join();
  other.token_secret = std::string(24, 'x');

  lost(world.log.join());
  world.host.host = "web-02";  // Renamed meanwhile, or started with another kernel.
  lost(world.log.join());
  lost(other);

  REQUIRE(sent.size() == 3);
  CHECK(sent[1] == sent[0]);
  CHECK(sent[2] != sent[0]);
  CHECK(enrolment::parse_request(sent[2])->predicate.predecessor->agent == first);
  CHECK(world.enrol().predecessor == first);
}

TEST_CASE("whoever has the state keeps the next daemon and enrolment out", "[enrol]") {
  World world;
  {
    const auto lock = lock_state(world.config.state_dir);
    REQUIRE(lock);

    CHECK(lock_state(world.config.state_dir).error().code == Errc::unavailable);
    const auto refused = enrol({world.config.state_dir, world.host}, world.log.join(), world.clock,
                               [](const JoinString&, const std::string&) -> Result<EnrolAnswer> {
                                 FAIL("the store was asked");
                                 return EnrolAnswer{};
                               });
    CHECK(refused.error().code == Errc::unavailable);
  }

  CHECK(lock_state(world.config.state_dir));
}

}  // namespace vouch::agent
