// SPDX-License-Identifier: Apache-2.0
#include "proto/enrolment.h"

#include <catch2/catch.hpp>

#include "core/digest.h"
#include "core/encoding.h"
#include "proto/dsse.h"
#include "proto/test_log_test.h"

namespace vouch::enrolment {
namespace {

const std::string kAgent = "6f1c2a9e-0b7d-4c53-9a51-2d0e8b3f4c77";

JoinString join_for(const test::TestLog& log) {
  JoinString join;
  join.host = "store.example.com";
  for (char c = 0; c < 32; ++c) (c < 8 ? join.token_id : join.token_secret).push_back(c);
  join.pin = sha256(note::write_vkey(log.vkey));
  return join;
}

Predicate predicate() {
  Predicate p;
  p.agent = kAgent;
  p.machine = "19a05c30e9944d5eafb4a7e391349684";
  p.host = {{"name", "web-01.example.com"}};
  return p;
}

// A store that answers as it should.
struct Exchange {
  test::TestLog log;
  SigningKey key = test::key_of(test::kSeed2);
  JoinString join = join_for(log);
  std::string policy = policy_file::write(log.policy());
  Request request;
  leaf::Leaf entry;

  explicit Exchange(Predicate p = predicate()) {
    auto parsed = parse_request(*make_request(std::move(p), join, key));
    REQUIRE(parsed);
    request = *std::move(parsed);
    entry = {1795289402118,
             leaf::Enrol{kAgent, request.predicate.machine, request.keyid,
                         base64_encode(request.predicate.key), request.statement,
                         request.predicate.token, "local", sha256_hex(policy), std::nullopt}};
  }
  leaf::Enrol& enrol() { return std::get<leaf::Enrol>(entry.body); }
  Response response() {
    log.entries = {*leaf::write(entry)};
    return {note::write_vkey(log.vkey), policy, log.receipt(0)};
  }
};

}  // namespace

TEST_CASE("the mac of section 19 comes out", "[enrolment]") {
  const test::TestLog log;
  CHECK(mac(join_for(log).token_secret, kAgent, log.key.public_key().spki()) ==
        "2673c8b2588437a997884a2d9bdbd3f0f024be4590c04f187a66ac514df8e7fd");
}

TEST_CASE("an enrolment is signed, parsed, authenticated, answered and accepted", "[enrolment]") {
  Exchange exchange;
  CHECK(mac_holds(exchange.request, exchange.join.token_secret));
  CHECK_FALSE(mac_holds(exchange.request, "another secret"));
  CHECK(exchange.request.predicate.token == "0001020304050607");
  CHECK(exchange.request.keyid == exchange.key.keyid());

  const auto answer = parse_response(write_response(exchange.response()));
  REQUIRE(answer);
  const auto enrolled = check_response(*answer, exchange.join, exchange.request);

  REQUIRE(enrolled);
  CHECK(enrolled->log == exchange.log.vkey);
  CHECK(enrolled->receipt.index == 0);
  CHECK(enrolled->policy_text == exchange.policy);
}

TEST_CASE("the secret of a token is not in the request", "[enrolment]") {
  const test::TestLog log;
  const auto join = join_for(log);
  const auto bytes = *make_request(predicate(), join, test::key_of(test::kSeed2));
  const auto payload = dsse::parse(bytes)->payload;
  CHECK(payload.find(hex_encode(join.token_secret)) == std::string::npos);
  CHECK(payload.find(base64_encode(join.token_secret)) == std::string::npos);
  CHECK(payload.find(join.token_secret) == std::string::npos);
}

TEST_CASE("a request must be signed by the key that it names", "[enrolment]") {
  const test::TestLog log;
  const auto key1 = test::key_of(test::kSeed1);
  const auto envelope = dsse::parse(*make_request(predicate(), join_for(log), key1));
  REQUIRE(envelope);
  const auto resign = [](const std::string& payload, const SigningKey& key) {
    return parse_request(dsse::write(*dsse::sign(key, payload)));
  };
  REQUIRE(resign(envelope->payload, key1));

  CHECK_FALSE(resign(envelope->payload, test::key_of(test::kSeed2)));
  const auto change = [&](std::string_view from, std::string_view to) {
    auto payload = envelope->payload;
    const auto at = payload.find(from);
    REQUIRE(at != std::string::npos);
    return resign(payload.replace(at, from.size(), to), key1);
  };
  CHECK_FALSE(change("urn:vouch:enrolment:v1", "urn:vouch:enrolment:v2"));
  CHECK_FALSE(change("Statement/v1", "Statement/v0.1"));
  CHECK_FALSE(change(R"("name":"key")", R"("name":"kee")"));
  CHECK_FALSE(change(key1.public_key().spki_digest(), std::string(64, '0')));
  CHECK_FALSE(change(kAgent, "not-a-uuid"));
  CHECK_FALSE(change(R"("token":"00)", R"("token":")"));
  CHECK_FALSE(change(R"("machine":"19)", R"("machine":"XX)"));
  CHECK_FALSE(change(base64_encode(key1.public_key().spki()), "AAAA"));
}

TEST_CASE("another log key than the pinned one is denied", "[enrolment]") {
  Exchange exchange;
  auto response = exchange.response();
  exchange.join.pin[3] ^= 1;
  const auto result = check_response(response, exchange.join, exchange.request);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == Errc::denied);
}

TEST_CASE("the policy must name exactly the pinned log", "[enrolment]") {
  Exchange exchange;
  SECTION("no log") {
    exchange.policy = "quorum none\n";
  }
  SECTION("another log") {
    const auto other = *note::make_vkey("other", note::KeyType::log, exchange.key);
    exchange.policy = "log " + note::write_vkey(other) + "\nquorum none\n";
  }
  SECTION("two logs") {
    const auto other = *note::make_vkey("other", note::KeyType::log, exchange.key);
    exchange.policy = "log " + note::write_vkey(other) + "\n" + exchange.policy;
  }
  SECTION("a quorum that did not sign") {
    const auto witness = *note::make_vkey("w", note::KeyType::cosignature, exchange.key);
    exchange.policy = "log " + note::write_vkey(exchange.log.vkey) + "\nwitness w " +
                      note::write_vkey(witness) + "\nquorum w\n";
  }
  exchange.enrol().policy = sha256_hex(exchange.policy);
  CHECK_FALSE(check_response(exchange.response(), exchange.join, exchange.request));
}

TEST_CASE("the logged entry must be this enrolment", "[enrolment]") {
  Exchange exchange;
  SECTION("another agent") {
    exchange.enrol().agent = "6f1c2a9e-0b7d-4c53-9a51-2d0e8b3f4c78";
  }
  SECTION("another key") {
    exchange.enrol().keyid = exchange.log.key.keyid();
  }
  SECTION("another policy") {
    exchange.enrol().policy = std::string(64, '0');
  }
  SECTION("another request") {
    exchange.enrol().statement = std::string(64, '0');
  }
  SECTION("another type") {
    exchange.entry.body = leaf::SignIn{"local", "password"};
  }
  SECTION("a re-pin that nobody asked for") {
    exchange.entry.body = leaf::Repin{exchange.enrol(), 1, 5, std::string(64, '0')};
  }
  CHECK_FALSE(check_response(exchange.response(), exchange.join, exchange.request));
}

TEST_CASE("a re-pin is answered by a repin leaf with the same chain", "[enrolment]") {
  auto p = predicate();
  p.repin = Repin{"store.example.com/log0", 7, base64_encode(std::string(32, 'r')), 3, 900,
                  std::string(64, 'a')};
  Exchange exchange(p);
  REQUIRE(exchange.request.predicate.repin);
  CHECK_FALSE(check_response(exchange.response(), exchange.join, exchange.request));

  const auto enrol = exchange.enrol();
  exchange.entry.body = leaf::Repin{enrol, 3, 900, std::string(64, 'a')};
  CHECK(check_response(exchange.response(), exchange.join, exchange.request));
  exchange.entry.body = leaf::Repin{enrol, 3, 901, std::string(64, 'a')};
  CHECK_FALSE(check_response(exchange.response(), exchange.join, exchange.request));
}

}  // namespace vouch::enrolment
