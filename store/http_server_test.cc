// SPDX-License-Identifier: Apache-2.0
// Over real sockets on loopback, with TLS and a CA of its own.
#include "store/http_server.h"

#include <catch2/catch.hpp>
#include <string>

#include "core/file.h"
#include "core/random.h"
#include "store/certificates.h"
#include "store/running_server.h"
#include "store/test_store.h"
#include "tests/bench/tls_client.h"

using namespace vouch;
using namespace vouch::store;

TEST_CASE("enrolment, parcels and reads over one kept connection", "[http]") {
  TestStore store;
  const RunningServer server(store.handler(), store.path());
  auto client = TlsClient::connect("localhost", server.port(), store.path() + "/tls/ca.crt");
  REQUIRE(client);
  TestAgent agent(store.clock.now);
  const auto join = store.join();

  const auto enrolled =
      (*client)->post("/v1/enroll", "application/json", agent.enrolment_request(join));
  REQUIRE(enrolled);
  CHECK(enrolled->status == 201);
  const auto request = enrolment::parse_request(agent.enrolment_request(join));
  const auto response = enrolment::parse_response(enrolled->body);
  REQUIRE(response);
  CHECK(enrolment::check_response(*response, join, *request));

  const auto sealed = agent.seal({std::string(200000, 'x'), random_bytes(300000)});
  const auto posted =
      (*client)->post("/v1/parcels", "application/vnd.vouch.parcel+zstd", sealed.parcel);
  REQUIRE(posted);
  CHECK(posted->status == 201);
  CHECK((*client)->get("/healthz").value().body == "ok\n");
  CHECK((*client)->get("/v1/checkpoint").value().status == 200);
  CHECK((*client)->get("/v1/tile/0/000.p/2").value().body.size() == 64);
  CHECK((*client)->get("/v1/tile/0/000.p/3").value().status == 404);
  CHECK((*client)->get("/v1/succession").value().status == 404);
  CHECK((*client)->get("/../store.db").value().status == 404);
}

TEST_CASE("evidence is read with an auditor's token alone", "[http]") {
  TestStore store;
  auto agent = store.agent();
  const auto sealed = agent.seal();
  REQUIRE(store.post_parcel(sealed.parcel).status == 201);
  const auto auditor = store.auditor();
  const auto targets = {std::string("/v1/tile/entries/000.p/2"), "/v1/bundles/" + agent.id() + "/0",
                        "/v1/blobs/sha256/" + sha256_hex(agent.config())};

  for (const auto& target : targets) {
    CAPTURE(target);
    CHECK(store.get(target).status == 401);
    CHECK(store.get(target, "nonsense").status == 401);
    CHECK(store.get(target, write_token(new_token())).status == 401);
    CHECK(store.get(target, auditor).status == 200);
  }
  const auto join = store.join();
  const auto enrolment_token = write_token({hex_encode(join.token_id), join.token_secret});
  CHECK(store.get("/v1/bundles/" + agent.id() + "/0", enrolment_token).status == 403);
  CHECK(store.get("/v1/bundles/" + agent.id() + "/00", auditor).status == 404);
  CHECK(store.get("/v1/bundles/../0", auditor).status == 404);
  store.clock.now += 2 * 86400000;
  CHECK(store.get("/v1/bundles/" + agent.id() + "/0", auditor).status == 401);
}

TEST_CASE("bad HTTP gets a status, not a crash", "[http]") {
  TestStore store;
  const RunningServer server(store.handler(), store.path());
  const auto ask = [&](const std::string& bytes) {
    auto client = TlsClient::connect("localhost", server.port(), store.path() + "/tls/ca.crt");
    REQUIRE(client);
    auto answer = (*client)->send_raw(bytes);
    return answer ? answer->status : 0;
  };

  CHECK(ask("nonsense\r\n\r\n") == 400);
  CHECK(ask("GET / HTTP/1.1\r\nX: " + std::string(40000, 'x') + "\r\n\r\n") == 431);
  CHECK(ask("DELETE /v1/checkpoint HTTP/1.1\r\nHost: x\r\n\r\n") == 405);
  CHECK(ask("POST /v1/enroll HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n" +
            std::string(70000, 'x')) == 413);
  CHECK(ask("POST /v1/parcels HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n") == 413);
  CHECK(ask("POST /v1/parcels HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx") == 400);
  CHECK(ask("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") == 200);
}

TEST_CASE("another CA is not trusted", "[http]") {
  TestStore store;
  TestStore other;
  const RunningServer server(store.handler(), store.path());

  CHECK_FALSE(TlsClient::connect("localhost", server.port(), other.path() + "/tls/ca.crt"));
  CHECK(TlsClient::connect("localhost", server.port(), store.path() + "/tls/ca.crt"));
}

TEST_CASE("every CA that is made can be read back", "[certificates]") {
  for (int i = 0; i < 300; ++i) {
    const auto ca = make_ca("store.example.com/log1", 1795300000);
    REQUIRE(ca);
    REQUIRE(certificate_spki(ca->certificate));
  }
}

TEST_CASE("the server's certificate is renewed in time, by the same CA", "[certificates]") {
  TestStore store;
  const auto read = [&](const char* name) {
    return read_file(store.path() + "/" + name, 1u << 16).value();
  };
  const auto ca = read("tls/ca.crt");
  const auto first = read("tls/server.crt");

  REQUIRE(renew_certificate(store.path(), TestStore::settings(), store.clock));
  CHECK(read("tls/server.crt") == first);
  store.clock.now += WallMs{370} * 86400 * 1000;
  REQUIRE(renew_certificate(store.path(), TestStore::settings(), store.clock));

  CHECK(read("tls/server.crt") != first);
  CHECK(certificate_expiry(read("tls/server.crt")).value() > store.clock.now / 1000);
  CHECK(read("tls/ca.crt") == ca);
}
