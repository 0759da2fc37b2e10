// SPDX-License-Identifier: Apache-2.0
#include "collectors/http_json/pace.h"

#include <catch2/catch.hpp>

namespace vouch::http_json {
namespace {

constexpr WallSeconds kNow = 1'790'000'000;

http::Reply reply(int status, std::vector<std::pair<std::string, std::string>> headers = {},
                  std::optional<std::int64_t> retry_after_s = std::nullopt) {
  http::Reply out;
  out.status = status;
  out.headers = std::move(headers);
  out.retry_after_s = retry_after_s;
  return out;
}

}  // namespace

TEST_CASE("a server that refuses says for how long", "[pace]") {
  const auto retry = pace_of(reply(429, {}, 7), kNow);
  CHECK(retry.is_refused);
  CHECK(retry.wait_s == 7);

  const auto github = pace_of(
      reply(403, {{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "1790000030"}}), kNow);
  CHECK(github.is_refused);
  CHECK(github.wait_s == 31);

  const auto okta = pace_of(
      reply(429, {{"x-rate-limit-remaining", "0"}, {"x-rate-limit-reset", "1790000010"}}), kNow);
  CHECK(okta.is_refused);
  CHECK(okta.wait_s == 11);

  CHECK(pace_of(reply(429), kNow).wait_s == 60);
  CHECK(pace_of(reply(503, {}, 2), kNow).is_refused);
}

TEST_CASE("a server that has answered for the last time is not asked at once", "[pace]") {
  const auto pace =
      pace_of(reply(200, {{"ratelimit-remaining", "0"}, {"ratelimit-reset", "5"}}), kNow);

  CHECK_FALSE(pace.is_refused);
  CHECK(pace.wait_s == 6);
}

TEST_CASE("what is no refusal, and what is nonsense, waits for nothing", "[pace]") {
  CHECK_FALSE(pace_of(reply(403), kNow).is_refused);
  CHECK_FALSE(pace_of(reply(503), kNow).is_refused);
  CHECK(pace_of(reply(200, {{"x-ratelimit-remaining", "12"}, {"x-ratelimit-reset", "1790000030"}}),
                kNow)
            .wait_s == 0);
  CHECK(pace_of(reply(200, {{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "1000000001"}}),
                kNow)
            .wait_s == 0);
  CHECK(pace_of(reply(200, {{"x-ratelimit-remaining", "0x"}, {"x-ratelimit-reset", "9"}}), kNow)
            .wait_s == 0);
}

}  // namespace vouch::http_json
