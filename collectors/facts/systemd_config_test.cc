// SPDX-License-Identifier: Apache-2.0
#include "collectors/facts/systemd_config.h"

#include <catch2/catch.hpp>

#include "collectors/sdk/testing.h"

using namespace vouch;
using namespace vouch::facts;

TEST_CASE("drop-ins follow the main file in order of their names, /etc hides the others",
          "[facts]") {
  sdk::TestTree tree;
  tree.file("/usr/lib/systemd/x.conf", "[A]\nOne=lib\n");
  tree.file("/etc/systemd/x.conf", "[A]\nOne=main\nTwo=main\nThree=main\n#Four=no\n");
  tree.file("/usr/lib/systemd/x.conf.d/50.conf", "[A]\nTwo=lib\n");
  tree.file("/etc/systemd/x.conf.d/50.conf", "[A]\nTwo=etc\n");
  tree.file("/run/systemd/x.conf.d/60.conf", "[A]\nThree=\n");
  tree.file("/usr/lib/systemd/x.conf.d/70.conf", "[A]\nOne=masked\n");
  tree.symlink("/etc/systemd/x.conf.d/70.conf", "/dev/null");
  tree.fifo("/etc/systemd/x.conf.d/80.conf");

  const auto config = read_systemd_config(*Root::open(tree.path()), "x.conf");

  CHECK(config.settings.at({"A", "One"}).value == "main");
  CHECK(config.settings.at({"A", "Two"}).value == "etc");
  CHECK(config.settings.at({"A", "Two"}).source == "/etc/systemd/x.conf.d/50.conf");
  CHECK(config.settings.at({"A", "Three"}).value.empty());
  CHECK(config.settings.size() == 3);
  REQUIRE(config.gaps.size() == 1);
  CHECK(config.gaps[0].first == "/etc/systemd/x.conf.d/80.conf");
}

TEST_CASE("time spans and sizes", "[facts]") {
  CHECK(parse_time_span("90") == 90);
  CHECK(parse_time_span("1week 2days") == 9 * 86400);
  CHECK(parse_time_span("1h30m") == 5400);
  CHECK(parse_time_span("1month") == 2629800);
  CHECK(parse_time_span("2 weeks") == 14 * 86400);
  for (const std::string bad : {"", "x", "1fortnight", "infinity", "-1", "99999999999999999999",
                                "9223372036854775807 weeks"}) {
    CHECK_FALSE(parse_time_span(bad));
  }
  CHECK(parse_size("500M") == 500 * 1024 * 1024);
  CHECK(parse_size("8") == 8);
  CHECK_FALSE(parse_size("8X"));
  CHECK_FALSE(parse_size("9999999999P"));
}
