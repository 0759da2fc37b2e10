// SPDX-License-Identifier: Apache-2.0
#include "proto/leaf.h"

#include <catch2/catch.hpp>

#include "core/json.h"

namespace vouch::leaf {
namespace {

const std::string kAgent = "6f1c2a9e-0b7d-4c53-9a51-2d0e8b3f4c77";
const std::string kDigest(64, 'a');
const std::string kOther(64, 'b');
const std::string kKeyid = "BuP9j9opu2CrWVV95h7bCuzbIxE0vjDnW0Vfjht5L6k=";
const std::string kSpki = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const std::string kSig(88, 'A');
const std::string kMachine = "19a05c30e9944d5eafb4a7e391349684";
constexpr WallMs kAt = 1795289402118;

std::vector<Body> one_of_each() {
  const Enrol enrol{kAgent,  kMachine, kKeyid,      kSpki, kDigest, "0001020304050607",
                    "local", kDigest,  std::nullopt};
  auto successor = enrol;
  successor.predecessor = kAgent;
  return {Bundle{kAgent, 4812, kDigest, kOther, kKeyid, kSig},
          Rotate{kAgent, 7, 1, kKeyid, kKeyid, kSpki},
          enrol,
          successor,
          Repin{enrol, 3, 900, kDigest},
          Revoke{kAgent, kKeyid, 5, "local", kDigest},
          Decommission{kAgent, 5, "local", kDigest},
          Fork{kAgent, 5, kDigest, kOther, kSig},
          Drop{kAgent, 5, kDigest, std::nullopt},
          Drop{kAgent, 5, std::nullopt, "local"},
          Overdue{kAgent, 5, kAt, 3600},
          Recovered{kAgent, 5, 77},
          Late{kAgent, 5, 4000},
          SignIn{"local", "password"},
          Approval{"baseline", kDigest, kAgent, "bob", "alice", "carol", kDigest},
          Approval{"waivers", kDigest, std::nullopt, "bob", "alice", std::nullopt, kDigest},
          Purge{kDigest, 4, "retention/3y", "local"},
          Hold{"host:web-01", true, "local", kDigest},
          Export{"2026", 5, "local"},
          Review{"2026-q1", "web-01/bob", "keep", "alice", kDigest},
          Role{"bob", "approver", "local"},
          Inventory{"netbox", kDigest, 40},
          StoreStart{"0.1.0", kDigest},
          StoreStop{"0.1.0", kDigest},
          Succession{"store.example.com/log1", 2, kKeyid, "key-rotation", kDigest, "local"}};
}

const std::string kBundleLeaf = R"({"agent":")" + kAgent +
                                R"(","at":"2026-11-21T19:30:02.118Z","id":")" + kDigest +
                                R"(","keyid":")" + kKeyid + R"(","prev":")" + kOther +
                                R"(","seq":4812,"sig":")" + kSig + R"(","type":"bundle","v":1})";

}  // namespace

TEST_CASE("a bundle leaf has these bytes", "[leaf]") {
  const auto bytes = write({kAt, Bundle{kAgent, 4812, kDigest, kOther, kKeyid, kSig}});
  REQUIRE(bytes);
  CHECK(*bytes == kBundleLeaf);
}

TEST_CASE("every type is written, read and written again the same", "[leaf]") {
  std::size_t types = 0;
  for (const auto& body : one_of_each()) {
    CAPTURE(type_name(body));
    const auto bytes = write({kAt, body});
    REQUIRE(bytes);
    const auto back = parse(*bytes);
    REQUIRE(back);
    CHECK(back->at == kAt);
    CHECK(back->body.index() == body.index());
    CHECK(write(*back).value_or("") == *bytes);
    types |= std::size_t{1} << body.index();
  }
  CHECK(types == (std::size_t{1} << std::variant_size_v<Body>)-1);  // None was forgotten.
}

TEST_CASE("a leaf without any one of its members is refused", "[leaf]") {
  for (const auto& body : one_of_each()) {
    const auto object = *json::parse(*write({kAt, body}))->if_object();
    for (const auto& [name, value] : object) {
      const bool optional = name == "predecessor" || name == "implementer" ||
                            (name == "agent" && type_name(body) == "approval") ||
                            (name == "statement" && type_name(body) == "succession");
      CAPTURE(type_name(body), name);
      auto without = object;
      without.erase(name);
      CHECK(parse(json::write(without)).has_value() == optional);
      auto wrong = object;
      wrong[name] = value.if_integer() ? json::Value("x") : json::Value(json::Array{true});
      CHECK_FALSE(parse(json::write(wrong)));
    }
  }
}

TEST_CASE("an entry that is not canonical, known and in form is refused", "[leaf]") {
  const auto with = [](std::string_view from, std::string_view to) {
    auto text = kBundleLeaf;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  REQUIRE(parse(kBundleLeaf));
  const auto bad = GENERATE_COPY(
      as<std::string>{}, "", "{}", "[]", "null", kBundleLeaf + "\n", " " + kBundleLeaf,
      with(R"("v":1)", R"("v":2)"), with(R"("v":1)", R"("v":"1")"), with(R"("v":1})", R"("v": 1})"),
      with(R"("type":"bundle")", R"("type":"bundles")"), with(":4812", ":-1"),
      with(":4812", ":4812.0"), with(":4812", ":\"4812\""), with("02.118Z", "02Z"),
      with("02.118Z", "02.118+00:00"), with(kAgent, "6F1C2A9E-0B7D-4C53-9A51-2D0E8B3F4C77"),
      with(kDigest, kDigest.substr(1)), with(kKeyid, kKeyid.substr(0, 43)), with(kSig, ""),
      with(R"("seq":4812)", R"("seq":4812,"seq":4812)"));
  CAPTURE(bad);
  CHECK_FALSE(parse(bad));
}

TEST_CASE("unknown members of a known type are passed over", "[leaf]") {
  auto object = *json::parse(kBundleLeaf)->if_object();
  object["zone"] = "eu-1";
  CHECK(parse(json::write(object)));
}

TEST_CASE("an entry over 4,096 bytes is too large", "[leaf]") {
  auto object = *json::parse(kBundleLeaf)->if_object();
  object["zone"] = std::string(4096, 'x');
  const auto leaf = parse(json::write(object));
  REQUIRE_FALSE(leaf);
  CHECK(leaf.error().code == Errc::too_large);
}

TEST_CASE("nobody approves what he asked for or made", "[leaf]") {
  CHECK_FALSE(write({kAt, Approval{"policy", kDigest, {}, "bob", "bob", {}, kDigest}}));
  CHECK_FALSE(write({kAt, Approval{"policy", kDigest, {}, "bob", "al", "bob", kDigest}}));
  CHECK_FALSE(write({kAt, Approval{"opinion", kDigest, {}, "bob", "al", {}, kDigest}}));
}

TEST_CASE("names and free text do not get into the log", "[leaf]") {
  CHECK_FALSE(write({kAt, SignIn{"Bob Smith", "password"}}));
  CHECK_FALSE(write({kAt, SignIn{"bob", "with a password"}}));
  CHECK_FALSE(write({kAt, Revoke{kAgent, kKeyid, 5, "local", "he left"}}));
  CHECK_FALSE(write({kAt, Drop{kAgent, 5, kDigest, "local"}}));
  CHECK_FALSE(write({kAt, Drop{kAgent, 5, std::nullopt, std::nullopt}}));
  CHECK_FALSE(write({kAt, Bundle{kAgent, -1, kDigest, kOther, kKeyid, kSig}}));
}

}  // namespace vouch::leaf
