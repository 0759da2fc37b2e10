// SPDX-License-Identifier: Apache-2.0
#include "agent/ship/courier.h"

#include <functional>

#include "agent/vouchd/fake_world.h"
#include "proto/tile.h"

namespace vouch::ship {
namespace {

using agent::Agent;
using agent::BundleState;
using agent::World;

// A store that answers what the test says.
class FakeTransport final : public Transport {
 public:
  std::function<Result<HttpAnswer>(const std::string& path, std::string_view body)> answer;
  std::vector<std::string> asked;

  Result<HttpAnswer> get(const std::string& path, std::size_t) override {
    asked.push_back("GET " + path);
    return answer(path, "");
  }
  Result<HttpAnswer> post(const std::string& path, std::string_view, std::string_view body,
                          std::size_t) override {
    asked.push_back("POST " + path);
    return answer(path, body);
  }
};

// An enrolled agent with sealed bundles, a log behind a transport, and a courier between.
struct Road {
  World world;
  std::unique_ptr<Agent> agent;
  FakeTransport transport;

  explicit Road(int bundles) {
    world.enrol();
    agent = world.start();
    for (int i = 0; i < bundles; ++i) {
      REQUIRE(agent->seal());
      world.clock.advance(3000);
    }
    transport.answer = [this](const std::string& path, std::string_view body) {
      return serve(path, body);
    };
  }
  Courier courier() {
    return Courier::to_store({world.config.outbox_dir(), world.config.receipts_dir()}, transport)
        .value();
  }
  Result<HttpAnswer> serve(const std::string& path, std::string_view body) {
    if (path == "/v1/parcels") {
      const auto parcel = read_parcel(body).value();
      const auto envelope = dsse::parse(parcel.envelope).value();
      const auto seq = parse_statement(envelope.payload).value().bundle.seq;
      const auto index = world.log_bundle(agent->state(), seq);
      return HttpAnswer{201, "text/plain", world.log.receipt(index, world.log.size()), {}};
    }
    const auto id = tile::parse_tile_path(path.substr(4));
    if (!id || id->level != 0) return HttpAnswer{404, "", "", {}};
    auto hashes = world.log.leaf_hashes();
    hashes.resize(id->width);
    return HttpAnswer{200, "", tile::write_hashes(hashes), {}};
  }
};

}  // namespace

TEST_CASE("parcels go in order, and vouchd accepts what comes back", "[courier]") {
  Road road(3);
  auto courier = road.courier();

  const auto pass = courier.pass();

  REQUIRE(pass);
  CHECK_FALSE(pass->trouble);
  CHECK(pass->delivered == 3);
  REQUIRE(road.agent->poll());
  CHECK(road.agent->state().outbox.waiting().value().empty());
  REQUIRE(courier.pass());  // Removes its own files.
  CHECK(list_directory(road.world.config.receipts_dir(), 100).value() ==
        std::vector<std::string>{"tmp"});
}

TEST_CASE("what is lost of a bundle is said before the bundle", "[courier]") {
  Road road(1);
  REQUIRE(road.agent->state().outbox.write_notice(0, "{}"));
  auto courier = road.courier();
  int status = 503;
  road.transport.answer = [&](const std::string& path, std::string_view body) {
    if (path == "/v1/drops") return Result<HttpAnswer>(HttpAnswer{status, "", "", 7});
    return road.serve(path, body);
  };

  auto pass = courier.pass();
  REQUIRE(pass);
  CHECK(pass->trouble);
  CHECK(pass->retry_after_s == 7);
  CHECK(road.transport.asked == std::vector<std::string>{"POST /v1/drops"});
  status = 201;
  pass = courier.pass();
  REQUIRE(pass);
  CHECK_FALSE(pass->trouble);
  CHECK(pass->delivered == 1);
}

TEST_CASE("a log that moved on twice is followed by the notes that the store serves", "[courier]") {
  Road road(1);
  agent::FakeLog first = std::move(road.world.log);
  agent::FakeLog second("store.example.com/log2");
  agent::FakeLog third("store.example.com/log3");
  second.append(1, leaf::StoreStop{"1", std::string(64, 'a')});
  const auto one = first.succeeded_by(second, first.size());
  const auto two = second.succeeded_by(third, second.size());
  road.world.log = std::move(third);
  road.transport.answer = [&](const std::string& path, std::string_view body) {
    if (path == "/v1/successions/log1") return Result<HttpAnswer>(HttpAnswer{200, "", one, {}});
    if (path == "/v1/successions/log2") return Result<HttpAnswer>(HttpAnswer{200, "", two, {}});
    return road.serve(path, body);
  };
  auto courier = road.courier();

  REQUIRE(courier.pass());
  REQUIRE(road.agent->poll());

  agent::State& state = road.agent->state();
  CHECK(state.bundles.find(0).value()->state == BundleState::kept);
  CHECK(state.ledger.accepted_checkpoint().value()->seen.origin == "store.example.com/log3");
}

TEST_CASE("a store that is not there stops the pass, nothing else", "[courier]") {
  Road road(2);
  road.transport.answer = [](const auto&, auto) -> Result<HttpAnswer> {
    return Error{Errc::unavailable, "no connection"};
  };

  const auto pass = road.courier().pass();

  REQUIRE(pass);
  CHECK(pass->trouble);
  CHECK(road.transport.asked.size() == 1);
  CHECK(road.agent->state().outbox.waiting().value().size() == 2);
}

TEST_CASE("busy is tried again, a refusal is brought home", "[courier]") {
  Road road(1);
  const std::string refused = road.world.config.receipts_dir() + "/0000000000.refused.json";
  road.transport.answer = [](const auto&, auto) -> Result<HttpAnswer> {
    return HttpAnswer{503, "", R"({"type":"urn:vouch:problem:busy","status":503})", 30};
  };
  auto courier = road.courier();
  CHECK(courier.pass()->retry_after_s == 30);
  CHECK_FALSE(file_exists(refused));

  road.transport.answer = [](const auto&, auto) -> Result<HttpAnswer> {
    return HttpAnswer{422, "", R"({"type":"urn:vouch:problem:bad-statement","status":422})", {}};
  };
  CHECK(courier.pass()->trouble);
  CHECK(file_exists(refused));
  REQUIRE(road.agent->poll());
  REQUIRE(road.agent->seal());
  const auto records = agent::check_chain(road.agent->state());
  CHECK(agent::of_kind<Refused>(records).size() == 1);

  road.transport.answer = [&](const std::string& path, std::string_view body) {
    return road.serve(path, body);
  };
  CHECK_FALSE(courier.pass()->trouble);
  CHECK_FALSE(file_exists(refused));
}

TEST_CASE("nonsense in place of a receipt is no receipt", "[courier]") {
  Road road(1);
  road.transport.answer = [](const auto&, auto) -> Result<HttpAnswer> {
    return HttpAnswer{201, "text/html", "<html>welcome to the hotel</html>", {}};
  };

  CHECK(road.courier().pass()->trouble);
  CHECK_FALSE(file_exists(road.world.config.receipts_dir() + "/0000000000.tlog-proof"));
}

TEST_CASE("a directory gets a copy, named by agent", "[courier]") {
  Road road(1);
  const std::string target = road.world.directory + "/copies";
  auto courier = Courier::to_directory(
                     {road.world.config.outbox_dir(), road.world.config.receipts_dir()}, target)
                     .value();

  REQUIRE(courier.pass());

  const auto agent_id = road.agent->state().identity.agent;
  CHECK(read_file(target + "/" + agent_id + "/0000000000.parcel", 1 << 20).value() ==
        road.agent->state().outbox.read(0).value());
  CHECK(file_exists(road.world.config.receipts_dir() + "/0000000000.delivered.json"));
}

TEST_CASE("waits grow to an hour, jitter, and never undercut the store", "[courier]") {
  CHECK(backoff_ms(0, std::nullopt, 1001) == 0);
  CHECK(backoff_ms(0, std::nullopt, 1000) == 1000);
  CHECK(backoff_ms(100, std::nullopt, 3'600'000) == 3'600'000);
  CHECK(backoff_ms(0, 30, 5) == 30'000);
  CHECK(backoff_ms(100, std::int64_t{1} << 40, 0) == 3'600'000);
}

}  // namespace vouch::ship
