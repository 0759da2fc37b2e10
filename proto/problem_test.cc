// SPDX-License-Identifier: Apache-2.0
#include "proto/problem.h"

#include <catch2/catch.hpp>

namespace vouch {

TEST_CASE("a problem is written as RFC 9457 and read back with its members", "[problem]") {
  const Problem problem{ProblemKind::chain,
                        "send seq 7 first",
                        {{"expected_seq", 7}, {"expected_prev", "00"}, {"fork", false}}};

  const auto body = write_problem(problem);

  CHECK(body ==
        R"({"detail":"send seq 7 first","expected_prev":"00","expected_seq":7,"fork":false,)"
        R"("status":409,"title":"The bundle does not continue the chain",)"
        R"("type":"urn:vouch:problem:chain"})");
  const auto back = parse_problem(body);
  REQUIRE(back);
  CHECK(back->kind == ProblemKind::chain);
  CHECK(back->detail == problem.detail);
  CHECK(back->members == problem.members);
}

TEST_CASE("every kind of problem has a name of its own and comes back", "[problem]") {
  for (int i = 0; i <= static_cast<int>(ProblemKind::internal); ++i) {
    const auto kind = static_cast<ProblemKind>(i);
    CAPTURE(problem_name(kind));
    const auto back = parse_problem(write_problem({kind, "", {}}));
    REQUIRE(back);
    CHECK(back->kind == kind);
    CHECK(problem_status(kind) >= 400);
  }
}

TEST_CASE("a body that is no problem of ours is refused", "[problem]") {
  const auto bad =
      GENERATE(as<std::string>{}, "", "{}", "[]", "<html>", R"({"type":"about:blank"})",
               R"({"type":"urn:vouch:problem:nonsense"})", R"({"type":"urn:vouch:problem:"})",
               R"({"type":7})", R"({"type":"chain"})");
  CAPTURE(bad);
  CHECK_FALSE(parse_problem(bad));
}

}  // namespace vouch
