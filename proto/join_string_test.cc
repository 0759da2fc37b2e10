// SPDX-License-Identifier: Apache-2.0
#include "proto/join_string.h"

#include <catch2/catch.hpp>

#include "core/digest.h"
#include "core/encoding.h"

namespace vouch {
namespace {

const std::string kToken = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const std::string kPin = "msz-C2WVGVpYUi5XtE1DwBfZ_tdNwl5xyns7DzMtYVQ";
const std::string kTls = "BuP9j9opu2CrWVV95h7bCuzbIxE0vjDnW0Vfjht5L6k";
const std::string kJoin = "vouch://store.example.com:8443/#" + kToken + "." + kPin;

}  // namespace

TEST_CASE("the join string of section 19 parses and is written back", "[join_string]") {
  const auto join = parse_join_string(kJoin);
  REQUIRE(join);
  CHECK(join->host == "store.example.com");
  CHECK(join->port == 8443);
  CHECK(hex_encode(join->token_id) == "0001020304050607");
  CHECK(join->token_secret.size() == 24);
  CHECK(join->pin == sha256("store.example.com/log1+edec57d7+"
                            "AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"));
  CHECK(join->tls.empty());
  CHECK(join->url() == "https://store.example.com:8443");
  CHECK(write_join_string(*join) == kJoin);

  const auto with_tls = parse_join_string(kJoin + "." + kTls + "\n");
  REQUIRE(with_tls);
  CHECK(base64_encode(with_tls->tls) == "BuP9j9opu2CrWVV95h7bCuzbIxE0vjDnW0Vfjht5L6k=");
  CHECK(write_join_string(*with_tls) == kJoin + "." + kTls);
}

TEST_CASE("the port may be left out and the host may be an address", "[join_string]") {
  const auto tail = "/#" + kToken + "." + kPin;
  CHECK(parse_join_string("vouch://a.example" + tail)->port == 8443);
  CHECK(parse_join_string("vouch://127.0.0.1:1" + tail)->host == "127.0.0.1");
  CHECK(parse_join_string("vouch://[::1]:9000" + tail)->url() == "https://[::1]:9000");
  CHECK(parse_join_string("vouch://[::1]" + tail)->port == 8443);
}

TEST_CASE("what is no join string is refused, and never shown", "[join_string]") {
  const auto tail = "/#" + kToken + "." + kPin;
  const auto bad = GENERATE_COPY(
      as<std::string>{}, "", "vouch://", "https://a" + tail, "Vouch://a" + tail, "vouch://" + tail,
      "vouch://a b" + tail, "vouch://a:" + tail, "vouch://a:0" + tail, "vouch://a:65536" + tail,
      "vouch://a:123456" + tail, "vouch://a:8x" + tail, "vouch://user@a" + tail,
      "vouch://[::1" + tail, "vouch://::1" + tail, "vouch://[]" + tail, "vouch://[::1]x" + tail,
      "vouch://a/b" + tail, "vouch://a/#" + kToken, "vouch://a/#" + kToken + ".", kJoin + ".",
      kJoin + "." + kTls + ".", kJoin + "A", kJoin + " ", kJoin + "\n\n", " " + kJoin, kJoin + "=",
      "vouch://a/#" + kToken.substr(1) + "." + kPin,
      "vouch://a/#" + kToken.substr(0, 42) + "9." + kPin,  // Unused bits not zero.
      "vouch://a/#" + kToken + "." + kPin.substr(0, 42) + "R",
      "vouch://a/#" + kToken + "." + std::string(43, '+'), kJoin + "." + std::string(600, 'A'));
  CAPTURE(bad);
  const auto join = parse_join_string(bad);
  REQUIRE_FALSE(join);
  CHECK(join.error().message.find(kToken.substr(0, 20)) == std::string::npos);
}

}  // namespace vouch
