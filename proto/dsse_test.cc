// SPDX-License-Identifier: Apache-2.0
#include "proto/dsse.h"

#include <catch2/catch.hpp>
#include <functional>

#include "core/digest.h"
#include "core/encoding.h"
#include "core/json.h"
#include "proto/limits.h"
#include "proto/signing_key.h"
#include "proto/test_vectors.h"

using namespace vouch;

namespace {

constexpr auto kSeed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
constexpr auto kSignature =
    "vW8iDoS+pQIrO8G9pV+VHVGcvY/XcGMh2vfWpJJwwrH/"
    "m4CRZswsl9wIASL/n2XN7RSNIqdiogwYkqskDFZiAQ==";

SigningKey test_key() {
  return std::move(*SigningKey::from_ed25519_seed(*hex_decode(kSeed)));
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("the envelope of {} is byte for byte the published one", "[dsse]") {
  const auto envelope = dsse::sign(test_key(), "{}");

  REQUIRE(envelope);
  CHECK(dsse::pae(dsse::kPayloadType, "{}") == "DSSEv1 28 application/vnd.in-toto+json 2 {}");
  CHECK(dsse::bundle_id(*envelope) ==
        "4842cb1ba6fed6e460d8a0d56f6b64ccf1f1e11f7714a7f282080d5780251b63");
  CHECK(base64_encode(envelope->signature) == kSignature);
  const auto bytes = dsse::write(*envelope);
  CHECK(bytes.size() == 232);
  CHECK(sha256_hex(bytes) == "7d66a60a640d3956ba34d2792918474a42e6d919f3c3df6ddb6ca90a63e99163");
  const auto read = dsse::parse(bytes);
  REQUIRE(read);
  CHECK(read->payload == "{}");
  CHECK(read->keyid == test_key().keyid());
  CHECK(dsse::verify(*read, test_key().public_key()));
}

TEST_CASE("the vector of the DSSE specification verifies in DER, not as raw r and s", "[dsse]") {
  const auto text = read_vector("dsse/protocol_md_v1.0.2_vector.json");
  if (!text) return;
  // The vector's X and Y, which it gives in decimal.
  const auto key = PublicKey::from_spki(
      *hex_decode("3059301306072a8648ce3d020106082a8648ce3d03010703420004"
                  "67cd390f77aa359cb08c2235f652270493a9ed832b0abcc01f70954c0390d238"
                  "0c782bd54e269125a44f4433aff1432ce94e12bca73aa67ac80cea12608ddf74"));
  REQUIRE(key);
  const std::string type = "http://example.com/HelloWorld";
  CHECK_THAT(*text, Catch::Contains(dsse::pae(type, "hello world")));
  const auto at = text->find("\"envelope\":") + 11;
  const auto bytes = text->substr(at, text->rfind('}') - at);
  auto envelope = dsse::parse(bytes, type);
  REQUIRE(envelope);
  CHECK(envelope->payload == "hello world");
  CHECK_FALSE(dsse::verify(*envelope, *key));

  const auto raw = envelope->signature;
  REQUIRE(raw.size() == 64);
  envelope->signature = "\x30\x44\x02\x20" + raw.substr(0, 32) + "\x02\x20" + raw.substr(32);
  CHECK(dsse::verify(*envelope, *key));
  envelope->signature += '\0';
  CHECK_FALSE(dsse::verify(*envelope, *key));
  CHECK_FALSE(dsse::parse(bytes));  // Another payloadType than ours.
}

TEST_CASE("no bit of the signed bytes can change", "[dsse]") {
  const auto key = test_key();
  const auto good = dsse::sign(key, "{\"a\":1}");
  REQUIRE(good);
  for (std::size_t bit = 0; bit < good->payload.size() * 8; ++bit) {
    auto bad = *good;
    bad.payload[bit / 8] =
        static_cast<char>(static_cast<unsigned char>(bad.payload[bit / 8]) ^ (1u << bit % 8));
    CHECK_FALSE(dsse::verify(bad, key.public_key()));
    CHECK(dsse::bundle_id(bad) != dsse::bundle_id(*good));
  }
  for (std::size_t i = 0; i < good->payload_type.size(); ++i) {
    auto bad = *good;
    bad.payload_type[i] = '?';
    CHECK_FALSE(dsse::verify(bad, key.public_key()));
  }
  CHECK_FALSE(dsse::verify(*good, SigningKey::generate()->public_key()));
}

TEST_CASE("the key id plays no part in verifying, nor in what a bundle is", "[dsse]") {
  const auto key = test_key();
  const auto good = dsse::sign(key, "{}");
  REQUIRE(good);
  auto other = *good;
  other.keyid = "somebody";

  CHECK(dsse::verify(other, key.public_key()));
  CHECK(dsse::bundle_id(other) == dsse::bundle_id(*good));
  const auto without = replaced(dsse::write(*good), "\"keyid\":\"" + key.keyid() + "\",", "");
  REQUIRE(dsse::parse(without));
  CHECK(dsse::parse(without)->keyid.empty());
}

TEST_CASE("an envelope may hold unknown members, spaces and either alphabet", "[dsse]") {
  auto envelope = *dsse::sign(test_key(), "{\"subjects\":\"\xc3\xbf\xc3\xbe?>\"}");
  auto text = dsse::write(envelope);
  text = replaced(text, "\"payloadType\"", "\"x\" : [ 1 ] , \"payloadType\"");
  const auto at = text.find("\"sig\":");
  for (auto i = at; i < text.size(); ++i) {
    if (text[i] == '+') text[i] = '-';
    if (text[i] == '/') text[i] = '_';
  }
  const auto read = dsse::parse(text);

  REQUIRE(read);
  CHECK(dsse::verify(*read, test_key().public_key()));
}

TEST_CASE("an envelope that is not of the form is refused", "[dsse]") {
  const auto good = dsse::write(*dsse::sign(test_key(), "{}"));
  REQUIRE(dsse::parse(good));
  const auto signatures = good.substr(good.find("[{"), good.find("}]") + 2 - good.find("[{"));
  const auto one = signatures.substr(1, signatures.size() - 2);
  const auto sig = std::string("\"sig\":\"") + kSignature + "\"";

  const auto bad = GENERATE_COPY(
      as<std::string>{}, "", "[]", "{}", good + " x", good.substr(0, good.size() - 1),
      replaced(good, signatures, "[]"), replaced(good, signatures, "[" + one + "," + one + "]"),
      replaced(good, signatures, one), replaced(good, "in-toto+json", "in-toto.json"),
      replaced(good, "\"payloadType\"", "\"payloadtype\""), replaced(good, "\"e30=\"", "\"e30\""),
      replaced(good, "\"e30=\"", "\"e31=\""), replaced(good, "\"e30=\"", "\"e3 0=\""),
      replaced(good, "\"e30=\"", "2"), replaced(good, sig, "\"sig\":1"),
      replaced(good, "pQIrO8G9pV+", "pQIrO8G9pV-"), replaced(good, sig, "\"sog\":\"\""),
      replaced(good, "\"keyid\":", "\"keyid\":1,\"k\":"),
      replaced(good, "{\"payload\"", "{\"payload\":\"\",\"payload\""));
  CAPTURE(bad);
  const auto read = dsse::parse(bad);

  REQUIRE_FALSE(read);
  CHECK(read.error().code == Errc::invalid);
}

TEST_CASE("an envelope over its limit is refused before it is parsed", "[dsse]") {
  const auto read = dsse::parse(std::string(kEnvelopeBytesMax + 1, ' '));

  REQUIRE_FALSE(read);
  CHECK(read.error().code == Errc::too_large);
}
