// SPDX-License-Identifier: Apache-2.0
#include "core/encoding.h"

#include <catch2/catch.hpp>

#include "core/digest.h"

namespace vouch {

TEST_CASE("base64 round trips the vectors of RFC 4648", "[encoding]") {
  const auto [bytes, text] = GENERATE(table<std::string, std::string>({{"", ""},
                                                                       {"f", "Zg=="},
                                                                       {"fo", "Zm8="},
                                                                       {"foo", "Zm9v"},
                                                                       {"foob", "Zm9vYg=="},
                                                                       {"\xff\xfe\xfd", "//79"}}));
  CHECK(base64_encode(bytes) == text);
  REQUIRE(base64_decode(text));
  CHECK(*base64_decode(text) == bytes);
}

TEST_CASE("base64 refuses what is not exactly section 4", "[encoding]") {
  const auto bad =
      GENERATE(as<std::string>{}, "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==\n", "Zm 9v",
               "__79", "Zg==Zg==", "=Zg=");
  CAPTURE(bad);
  CHECK_FALSE(base64_decode(bad));
}

TEST_CASE("the url alphabet is unpadded and has no spare bits", "[encoding]") {
  CHECK(base64url_encode("\xff\xfe\xfd\xfc") == "__79_A");
  REQUIRE(base64url_decode("__79_A"));
  CHECK(*base64url_decode("__79_A") == "\xff\xfe\xfd\xfc");
  CHECK_FALSE(base64url_decode("__79_B"));
  CHECK_FALSE(base64url_decode("__79_A=="));
  CHECK_FALSE(base64url_decode("//79"));
}

TEST_CASE("DSSE readers take either alphabet but never both", "[encoding]") {
  CHECK(base64_decode_either("//79"));
  CHECK(base64_decode_either("__79"));
  CHECK_FALSE(base64_decode_either("_/79"));
  CHECK_FALSE(base64_decode_either("__7"));
}

TEST_CASE("hex is lowercase and even", "[encoding]") {
  CHECK(hex_encode(std::string("\x00\xab", 2)) == "00ab");
  REQUIRE(hex_decode("00ab"));
  CHECK(*hex_decode("00ab") == std::string("\x00\xab", 2));
  CHECK_FALSE(hex_decode("0"));
  CHECK_FALSE(hex_decode("AB"));
  CHECK(is_hex_digest(kEmptyDigestHex));
  CHECK_FALSE(is_hex_digest("E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"));
}

TEST_CASE("SHA-256 and HMAC agree with their published vectors", "[digest]") {
  CHECK(sha256_hex("") == kEmptyDigestHex);
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 pieces;
  pieces.update("a");
  pieces.update("bc");
  CHECK(pieces.finish_hex() == sha256_hex("abc"));
  // RFC 4231, test case 2.
  CHECK(hex_encode(hmac_sha256("Jefe", "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_CASE("secrets compare equal only when all bytes and the length are", "[digest]") {
  CHECK(constant_time_equal("abc", "abc"));
  CHECK_FALSE(constant_time_equal("abc", "abd"));
  CHECK_FALSE(constant_time_equal("abc", "abcd"));
}

}  // namespace vouch
