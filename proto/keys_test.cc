// SPDX-License-Identifier: Apache-2.0
#include "proto/keys.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/encoding.h"
#include "core/json.h"
#include "proto/signing_key.h"
#include "proto/test_vectors.h"

using namespace vouch;

namespace {

// RFC 8032, section 7.1, TEST 1.
constexpr auto kSeed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
constexpr auto kSpki =
    "302a300506032b6570032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

std::string unhex(std::string_view text) {
  return *hex_decode(text);
}

SigningKey test_key() {
  return std::move(*SigningKey::from_ed25519_seed(unhex(kSeed)));
}

std::string flip(std::string bytes, std::size_t bit) {
  bytes[bit / 8] = static_cast<char>(static_cast<unsigned char>(bytes[bit / 8]) ^ (1u << bit % 8));
  return bytes;
}

}  // namespace

TEST_CASE("the keyid of a key is the base64 digest of its SPKI", "[keys]") {
  const auto key = PublicKey::from_spki(unhex(kSpki));

  REQUIRE(key);
  CHECK(key->type() == KeyType::ed25519);
  CHECK(key->keyid() == "BuP9j9opu2CrWVV95h7bCuzbIxE0vjDnW0Vfjht5L6k=");
  CHECK(key->spki_digest() == hex_encode(*base64_decode(key->keyid())));
  CHECK(key->raw() == unhex(kSpki).substr(12));
  CHECK(*PublicKey::from_ed25519(key->raw()) == *key);
  CHECK(test_key().public_key() == *key);
}

TEST_CASE("signatures of RFC 8032 are reproduced and verify", "[keys]") {
  const auto text = read_vector("rfc8032/ed25519_rfc8032_7_1.json");
  if (!text) return;
  const auto cases = json::parse(*text);
  REQUIRE(cases);
  REQUIRE(cases->if_array()->size() == 3);
  for (const auto& test : *cases->if_array()) {
    CAPTURE(*json::get_string(test, "name"));
    const auto message = unhex(*json::get_string(test, "message"));
    const auto signature = unhex(*json::get_string(test, "signature"));
    const auto key = SigningKey::from_ed25519_seed(unhex(*json::get_string(test, "seed")));

    REQUIRE(key);
    CHECK(key->public_key().raw() == unhex(*json::get_string(test, "public")));
    CHECK(*key->sign(message) == signature);
    CHECK(key->public_key().verify(message, signature));
    CHECK_FALSE(key->public_key().verify(message + "x", signature));
  }
}

TEST_CASE("an SPKI in any but the two forms is refused", "[keys]") {
  const auto good = unhex(kSpki);
  const auto p256 = SigningKey::generate(KeyType::p256);
  REQUIRE(p256);
  const auto point = p256->public_key().spki();
  REQUIRE(point.size() == 91);
  REQUIRE(PublicKey::from_spki(point));

  CHECK_FALSE(PublicKey::from_spki(""));
  CHECK_FALSE(PublicKey::from_spki(good + std::string(1, '\0')));
  CHECK_FALSE(PublicKey::from_spki(good.substr(0, 43)));
  CHECK_FALSE(PublicKey::from_spki(point + "x"));
  for (std::size_t bit = 0; bit < 12 * 8; ++bit) CHECK_FALSE(PublicKey::from_spki(flip(good, bit)));
  for (std::size_t bit = 0; bit < 27 * 8; ++bit) {
    CHECK_FALSE(PublicKey::from_spki(flip(point, bit)));
  }
  // One bit away from a point lies no other point with the same x but -y.
  CHECK_FALSE(PublicKey::from_spki(flip(point, 27 * 8)));
  CHECK_FALSE(PublicKey::from_ed25519(good));
}

TEST_CASE("Ed25519 keys of small order or with y not below p are refused", "[keys]") {
  const std::string f60(60, 'f');
  const auto y = GENERATE_COPY(as<std::string>{}, std::string(64, '0'), "01" + std::string(62, '0'),
                               "ec" + f60 + "7f", "ed" + f60 + "7f", "ee" + f60 + "7f",
                               "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                               "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                               "ff" + f60 + "7f");
  CAPTURE(y);
  auto raw = unhex(y);

  CHECK_FALSE(PublicKey::from_ed25519(raw));
  CHECK_FALSE(PublicKey::from_ed25519(flip(raw, 255)));  // Either sign bit.
  CHECK_FALSE(PublicKey::from_spki(unhex(kSpki).substr(0, 12) + raw));
}

TEST_CASE("no bit of message or signature can change", "[keys]") {
  const auto type = GENERATE(KeyType::ed25519, KeyType::p256);
  const auto key = SigningKey::generate(type);
  REQUIRE(key);
  const std::string message = "no evidence is not a pass";
  const auto signature = key->sign(message);
  REQUIRE(signature);
  REQUIRE(key->public_key().verify(message, *signature));

  for (std::size_t bit = 0; bit < signature->size() * 8; ++bit) {
    CHECK_FALSE(key->public_key().verify(message, flip(*signature, bit)));
  }
  for (std::size_t bit = 0; bit < message.size() * 8; ++bit) {
    CHECK_FALSE(key->public_key().verify(flip(message, bit), *signature));
  }
  CHECK_FALSE(key->public_key().verify(message, *signature + std::string(1, '\0')));
  CHECK_FALSE(key->public_key().verify(message, ""));
  CHECK_FALSE(SigningKey::generate(type)->public_key().verify(message, *signature));
}

TEST_CASE("an ECDSA signature as raw r and s is refused", "[keys]") {
  const auto key = SigningKey::generate(KeyType::p256);
  REQUIRE(key);

  CHECK_FALSE(key->public_key().verify("m", std::string(64, '\x01')));
}

TEST_CASE("a private key is saved for its owner alone and loads again", "[keys]") {
  std::string directory = std::filesystem::temp_directory_path() / "vouch-keys-XXXXXX";
  REQUIRE(::mkdtemp(directory.data()));
  const auto path = directory + "/key.pem";
  const auto type = GENERATE(KeyType::ed25519, KeyType::p256);
  const auto key = SigningKey::generate(type);
  REQUIRE(key);

  REQUIRE(key->save(path));
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  const auto loaded = SigningKey::load(path);
  REQUIRE(loaded);
  CHECK(loaded->public_key() == key->public_key());
  CHECK(key->public_key().verify("m", *loaded->sign("m")));

  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  const auto exposed = SigningKey::load(path);
  REQUIRE_FALSE(exposed);
  CHECK(exposed.error().code == Errc::denied);
  CHECK_THAT(exposed.error().message, Catch::Contains("chmod 600"));
  CHECK(SigningKey::load(directory + "/none").error().code == Errc::not_found);
  std::filesystem::remove_all(directory);
}

TEST_CASE("what is no unencrypted key of ours does not load", "[keys]") {
  CHECK_FALSE(SigningKey::from_pem(""));
  CHECK_FALSE(
      SigningKey::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
  CHECK_FALSE(SigningKey::from_ed25519_seed("short"));
  // X25519, in PKCS #8.
  CHECK_FALSE(
      SigningKey::from_pem("-----BEGIN PRIVATE KEY-----\n"
                           "MC4CAQAwBQYDK2VuBCIEIHgHJ2Z/c0T1lGCqTzqTdfGVb4bdTNyvxvGdOBlXaqVa\n"
                           "-----END PRIVATE KEY-----\n"));
}

TEST_CASE("a PEM that is written otherwise is the same key", "[keys]") {
  const std::string begin = "-----BEGIN PRIVATE KEY-----\n";
  const std::string end = "\n-----END PRIVATE KEY-----\n";
  const auto body = base64_encode(unhex("302e020100300506032b657004220420") + unhex(kSeed));
  const auto pem = GENERATE_COPY(begin + body + end, "a comment\n" + begin + body + end,
                                 begin + body.substr(0, 32) + "\n" + body.substr(32) + end,
                                 begin + body + end + "more\n");
  CAPTURE(pem);

  const auto key = SigningKey::from_pem(pem);

  REQUIRE(key);
  CHECK(key->public_key().spki() == unhex(kSpki));
}
