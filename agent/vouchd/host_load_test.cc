// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/host_load.h"

#include <catch2/catch.hpp>

namespace vouch::agent {

TEST_CASE("pressure is the share of ten seconds with somebody waiting", "[host_load]") {
  CHECK(parse_pressure("some avg10=61.37 avg60=5.00 avg300=1.00 total=1\nfull avg10=0.00\n") == 61);
  CHECK(parse_pressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n") == 0);
  const std::string_view bad =
      GENERATE(as<std::string_view>{}, "", "some avg10=", "some avg10=x.00", "full avg10=1.00",
               "some avg10=1,00", "some avg10=-1.00", "some avg10=1.0");
  CHECK_FALSE(parse_pressure(bad));
}

TEST_CASE("load is counted per CPU", "[host_load]") {
  CHECK(parse_load("3.15 2.25 1.06 4/512 12345\n", 2) == 157);
  CHECK(parse_load("0.00 0.00 0.00 1/1 1\n", 4) == 0);
  CHECK_FALSE(parse_load("", 2));
  CHECK_FALSE(parse_load("3.15", 0));
}

TEST_CASE("pressure decides where it is known, load where it is not", "[host_load]") {
  const BusyLimits limits{60, 60, 200};

  CHECK(is_busy({60, std::nullopt}, limits));
  CHECK_FALSE(is_busy({59, 900}, limits));
  CHECK(is_busy({std::nullopt, 200}, limits));
  CHECK_FALSE(is_busy({std::nullopt, 199}, limits));
  CHECK_FALSE(is_busy({}, limits));
}

TEST_CASE("this host says one of the two", "[host_load]") {
  SystemLoad load;
  const auto reading = load.read();
  CHECK((reading.pressure.has_value() || reading.load.has_value()));
}

}  // namespace vouch::agent
