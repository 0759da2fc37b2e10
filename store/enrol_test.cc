// SPDX-License-Identifier: Apache-2.0
#include "store/enrol.h"

#include <algorithm>
#include <atomic>

#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "core/file.h"
#include "proto/dsse.h"
#include "store/arguments.h"
#include "store/enrolled_hosts.h"
#include "store/settings.h"
#include "store/test_store.h"

using namespace vouch;
using namespace vouch::store;

TEST_CASE("an enrolment yields the log's key, a policy and a receipt that hold", "[enrol]") {
  TestStore store;
  const TestAgent agent(store.clock.now);
  const auto join = store.join();
  const auto body = agent.enrolment_request(join);

  const auto answer = store.post_enroll(body);

  REQUIRE(answer.status == 201);
  const auto response = enrolment::parse_response(answer.body);
  REQUIRE(response);
  const auto request = enrolment::parse_request(body);
  REQUIRE(request);
  const auto enrolled = enrolment::check_response(*response, join, *request);
  REQUIRE(enrolled);
  const auto& leaf = std::get<leaf::Enrol>(enrolled->receipt.leaf.body);
  CHECK(leaf.by == "local");
  CHECK(store.index().find_agent(agent.id()).value()->labels == "env=test");
  store.reopen();
  CHECK(read_file(store.path() + "/statements/" + leaf.statement + ".json", 1u << 16).value() ==
        body);
}

TEST_CASE("what a host said of itself is found by its agent id", "[enrol]") {
  TestStore store;
  const TestAgent first(store.clock.now);
  const TestAgent second(store.clock.now);
  REQUIRE(store.post_enroll(first.enrolment_request(store.join())).status == 201);
  REQUIRE(store.post_enroll(second.enrolment_request(store.join())).status == 201);
  store.close();  // All files are there.
  const std::string folder = store.path() + "/statements/";
  REQUIRE(write_file_durable(folder + std::string(64, 'a') + ".json", "{\"payload\":1}"));

  const auto hosts = enrolled_hosts(store.path());

  REQUIRE(hosts);
  CHECK(hosts->size() == 2);
  CHECK(*hosts->at(first.id()).at("name").if_string() == "test-" + first.id().substr(0, 8));
}

TEST_CASE("a statement under another name is not believed", "[enrol]") {
  TestStore store;
  const TestAgent agent(store.clock.now);
  const auto body = agent.enrolment_request(store.join());
  REQUIRE(store.post_enroll(body).status == 201);
  const auto statement = enrolment::parse_request(body)->statement;
  store.close();
  const std::string folder = store.path() + "/statements/";
  REQUIRE(std::rename((folder + statement + ".json").c_str(),
                      (folder + std::string(64, 'b') + ".json").c_str()) == 0);

  CHECK(enrolled_hosts(store.path()).value().empty());
}

TEST_CASE("the same key and token again gets 200, also when the token is used up", "[enrol]") {
  TestStore store;
  const TestAgent agent(store.clock.now);
  const auto body = agent.enrolment_request(store.join(1));
  REQUIRE(store.post_enroll(body).status == 201);

  CHECK(store.post_enroll(body).status == 200);
  store.clock.now += 2 * 86400000;
  CHECK(store.post_enroll(body).status == 200);
  CHECK(store.index().log_state().value().size == 1);
}

TEST_CASE("unknown, used up, expired and wrong tokens get one answer", "[enrol]") {
  TestStore store;
  const auto spent = store.join(1);
  REQUIRE(store.post_enroll(TestAgent(store.clock.now).enrolment_request(spent)).status == 201);
  auto unknown = spent;
  unknown.token_id = "12345678";
  auto wrong = store.join(1);
  wrong.token_secret[0] = static_cast<char>(wrong.token_secret[0] ^ 1);
  const auto expired = store.join(1, -1);

  std::vector<std::string> bodies;
  for (const auto& join : {spent, unknown, wrong, expired}) {
    const auto answer = store.post_enroll(TestAgent(store.clock.now).enrolment_request(join));
    CHECK(problem_of(answer).kind == ProblemKind::token);
    bodies.push_back(answer.body);
  }

  CHECK(std::all_of(bodies.begin(), bodies.end(), [&](const auto& b) { return b == bodies[0]; }));
}

TEST_CASE("an auditor's token enrols nobody", "[enrol]") {
  TestStore store;
  const auto token = parse_token(store.auditor());
  REQUIRE(token);
  auto join = store.join();
  join.token_id = hex_decode(token->id).value();
  join.token_secret = token->secret;

  const auto answer = store.post_enroll(TestAgent(store.clock.now).enrolment_request(join));

  CHECK(problem_of(answer).kind == ProblemKind::token);
}

TEST_CASE("a token for one agent enrols one, also when ten ask at once", "[enrol]") {
  TestStore store;
  const auto join = store.join(1);
  std::atomic<int> enrolled{0};
  std::vector<std::thread> threads;

  for (int i = 0; i < 10; ++i) {
    threads.emplace_back([&] {
      const TestAgent agent(store.clock.now);
      if (store.post_enroll(agent.enrolment_request(join)).status == 201) ++enrolled;
    });
  }
  for (auto& thread : threads) thread.join();

  CHECK(enrolled == 1);
}

TEST_CASE("an agent is enrolled once, with one key", "[enrol]") {
  TestStore store;
  const TestAgent agent(store.clock.now);
  REQUIRE(store.post_enroll(agent.enrolment_request(store.join())).status == 201);

  const auto again = store.post_enroll(agent.enrolment_request(store.join()));

  CHECK(problem_of(again).kind == ProblemKind::agent_exists);
}

TEST_CASE("requests that are no enrolment are refused", "[enrol]") {
  TestStore store;
  const TestAgent agent(store.clock.now);
  auto envelope = dsse::parse(agent.enrolment_request(store.join()));
  REQUIRE(envelope);
  envelope->signature[0] = static_cast<char>(envelope->signature[0] ^ 1);

  CHECK(problem_of(store.post_enroll("")).kind == ProblemKind::malformed);
  CHECK(problem_of(store.post_enroll(dsse::write(*envelope))).kind == ProblemKind::bad_signature);
  CHECK(problem_of(store.post_enroll(std::string(70000, 'x'))).kind == ProblemKind::too_large);
}

TEST_CASE("addresses to listen on are read with what they leave out", "[settings]") {
  Settings settings{"o", "h", "0.0.0.0", 8443, true};

  REQUIRE(parse_listen("[::1]:9000", settings));
  CHECK(settings.address == "::1");
  CHECK(settings.port == 9000);
  REQUIRE(parse_listen("7000", settings));
  CHECK(settings.address == "::1");
  CHECK(settings.port == 7000);
  REQUIRE(parse_listen("127.0.0.1", settings));
  CHECK(settings.address == "127.0.0.1");
  CHECK_FALSE(parse_listen("127.0.0.1:70000", settings));
  CHECK_FALSE(parse_listen("127.0.0.1:x", settings));
  CHECK_FALSE(parse_listen("nonsense", settings));
  CHECK_FALSE(parse_listen("store.example.com:8443", settings));
  CHECK(parse_settings(write_settings(settings)).value().url() == "https://h:7000");
}

TEST_CASE("durations and counts are strict", "[arguments]") {
  CHECK(parse_duration_seconds("24h").value() == 86400);
  CHECK(parse_duration_seconds("7d").value() == 604800);
  for (const auto* bad : {"", "h", "24", "-1h", "1.5h", "24 h", "999999d"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_duration_seconds(bad));
  }
  const auto parsed =
      Arguments::parse({"--a", "1", "rest", "--b=2", "--f"}, {"--a", "--b"}, {"--f"});
  REQUIRE(parsed);
  CHECK(parsed->get("--a") == "1");
  CHECK(parsed->get("--b") == "2");
  CHECK(parsed->has("--f"));
  CHECK(parsed->rest() == std::vector<std::string>{"rest"});
  CHECK_FALSE(Arguments::parse({"--a"}, {"--a"}, {}));
  CHECK_FALSE(Arguments::parse({"--x"}, {"--a"}, {}));
}
