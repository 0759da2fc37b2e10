// SPDX-License-Identifier: Apache-2.0
#include "core/clock.h"

#include <catch2/catch.hpp>

namespace vouch {

TEST_CASE("instants and seconds round trip", "[clock]") {
  const auto [text, ms] =
      GENERATE(table<std::string, std::int64_t>({{"1970-01-01T00:00:00.000Z", 0},
                                                 {"2026-11-21T19:30:02.118Z", 1795289402118},
                                                 {"1969-12-31T23:59:59.999Z", -1},
                                                 {"2024-02-29T12:00:00.001Z", 1709208000001},
                                                 {"0000-01-01T00:00:00.000Z", -62167219200000}}));
  CHECK(format_instant(ms) == text);
  REQUIRE(parse_instant(text));
  CHECK(*parse_instant(text) == ms);
}

TEST_CASE("a second has no decimals and an instant exactly three", "[clock]") {
  CHECK(format_second(1795289400) == "2026-11-21T19:30:00Z");
  CHECK(parse_second("2026-11-21T19:30:00Z").value_or(0) == 1795289400);
  CHECK_FALSE(parse_second("2026-11-21T19:30:00.000Z"));
  CHECK_FALSE(parse_instant("2026-11-21T19:30:00Z"));
}

TEST_CASE("times that are no times are refused", "[clock]") {
  const auto bad =
      GENERATE(as<std::string>{}, "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
               "2026-00-01T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z",
               "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "2026-01-01 00:00:00Z",
               "2026-01-01T00:00:00+", "2026-1-01T00:00:00ZZ", "", "+026-01-01T00:00:00Z");
  CAPTURE(bad);
  CHECK_FALSE(parse_second(bad));
}

TEST_CASE("years out of four digits are written as the nearest end", "[clock]") {
  CHECK(format_second(INT64_MAX) == "9999-12-31T23:59:59Z");
  CHECK(format_second(INT64_MIN) == "0000-01-01T00:00:00Z");
}

}  // namespace vouch
