// SPDX-License-Identifier: Apache-2.0
#include "proto/policy_file.h"

#include <catch2/catch.hpp>

#include "proto/test_log_test.h"

namespace vouch::policy_file {
namespace {

struct Keys {
  std::vector<std::string> vkeys;
  std::vector<note::VerifierKey> witnesses;
};

Keys witnesses(int count) {
  Keys made;
  for (int i = 0; i < count; ++i) {
    const auto key = SigningKey::generate();
    REQUIRE(key);
    made.witnesses.push_back(
        *note::make_vkey("w" + std::to_string(i), note::KeyType::cosignature, *key));
    made.vkeys.push_back(note::write_vkey(made.witnesses.back()));
  }
  return made;
}

const std::string kLog =
    "log store.example.com/log1+edec57d7+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";

}  // namespace

TEST_CASE("a policy with a log and no quorum is the least there is", "[policy_file]") {
  const auto policy =
      parse("# ours\n\n  " + kLog + "\thttps://store.example.com\n quorum  none \n");
  REQUIRE(policy);
  REQUIRE(policy->only_log());
  CHECK(policy->only_log()->key.name == "store.example.com/log1");
  CHECK(policy->only_log()->url == "https://store.example.com");
  CHECK(quorum_met(*policy, {}));
  CHECK(parse(write(*policy)));
}

TEST_CASE("a quorum of groups counts each witness once", "[policy_file]") {
  const auto w = witnesses(4);
  const auto policy = parse(kLog + "\nwitness A " + w.vkeys[0] + "\nwitness B " + w.vkeys[1] +
                            "\nwitness C " + w.vkeys[2] + "\nwitness D " + w.vkeys[3] +
                            "\ngroup X 2 A B C\ngroup Y any D\ngroup Z all X Y\nquorum Z\n");
  REQUIRE(policy);
  const auto signers = [&](std::vector<int> which) {
    std::vector<note::Verified> list;
    for (const int i : which) list.push_back({w.witnesses[static_cast<std::size_t>(i)], 1});
    return list;
  };

  CHECK(quorum_met(*policy, signers({0, 2, 3})));
  CHECK_FALSE(quorum_met(*policy, signers({0, 1, 2})));
  CHECK_FALSE(quorum_met(*policy, signers({0, 0, 3})));
  CHECK_FALSE(quorum_met(*policy, signers({0, 3})));
  CHECK_FALSE(quorum_met(*policy, {}));
  CHECK(policy->witness_keys().size() == 4);
  CHECK(quorum_met(*parse(write(*policy)), signers({1, 2, 3})));
}

TEST_CASE("what a policy may not say is refused with its line", "[policy_file]") {
  const auto w = witnesses(2);
  const auto a = "witness A " + w.vkeys[0] + "\n";
  const auto b = "witness B " + w.vkeys[1] + "\n";
  const auto bad = GENERATE_COPY(as<std::string>{}, "logs x\n", "log\n", "log x\n", kLog + " u v\n",
                                 "witness A\n", "witness none " + w.vkeys[0] + "\n",
                                 "witness A " + kLog.substr(4) + "\n", "log " + w.vkeys[0] + "\n",
                                 "group G all\n", "group G all A\n", "quorum A\n", "quorum\n",
                                 "quorum none none\n", "log \x01\n", "quorum none", "witness\r\n");
  CAPTURE(bad);
  const auto one = parse(bad);
  REQUIRE_FALSE(one);
  CHECK_THAT(one.error().message, Catch::StartsWith("line 1: "));

  const auto later = GENERATE_COPY(
      as<std::string>{}, a + a, a + "witness B " + w.vkeys[0] + "\n", a + "group A any A\n",
      a + "group G 0 A\n", a + "group G 2 A\n", a + "group G 01 A\n", a + "group G +1 A\n",
      a + "group G any none\n", a + "group G any A A\n", a + b + "group G any A\ngroup H all A B\n",
      "quorum none\nquorum none\n", kLog + "\n" + kLog + "\n",
      a + "group G any A\ngroup G any A\n");
  CAPTURE(later);
  CHECK_FALSE(parse(later + (later.find("quorum") == std::string::npos ? "quorum none\n" : "")));
}

TEST_CASE("a policy without a quorum line is refused", "[policy_file]") {
  CHECK_FALSE(parse(kLog + "\n"));
  CHECK_FALSE(parse(""));
}

}  // namespace vouch::policy_file
