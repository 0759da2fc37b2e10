// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/time_sources.h"

#include <catch2/catch.hpp>

#include "collectors/config_drift/config_drift.h"
#include "collectors/sdk/testing.h"

using namespace vouch;
using namespace vouch::drift;

TEST_CASE("servers, pools, peers and clocks, with who proves himself", "[time]") {
  const auto file = parse_time_sources(
      "# server no\n! server no\npool 2.debian.pool.ntp.org iburst\nserver time.example nts\n"
      "server -4 old.example key 1\npeer p.example\nrefclock PHC /dev/ptp0\nserver\n"
      "sourcedir /run/chrony-dhcp /etc/chrony/sources.d\ndriftfile /x\n");

  REQUIRE(file.sources.size() == 5);
  CHECK(file.sources[0].kind == "pool");
  CHECK_FALSE(file.sources[0].authenticated);
  CHECK(file.sources[1].authenticated);
  CHECK(file.sources[2].address == "old.example");
  CHECK(file.sources[2].authenticated);
  CHECK(file.sources[3].kind == "peer");
  CHECK(file.sources[4].address == "PHC");
  CHECK(file.directories == std::vector<std::string>{"/run/chrony-dhcp", "/etc/chrony/sources.d"});
}

TEST_CASE("the sources of all daemons are one table", "[time]") {
  sdk::TestTree tree;
  tree.file("/etc/systemd/timesyncd.conf", "[Time]\n#NTP=no\nFallbackNTP=\n");
  tree.file("/etc/systemd/timesyncd.conf.d/a.conf", "[Time]\nNTP=a.example b.example\n");
  tree.file("/etc/chrony/chrony.conf",
            "confdir /etc/chrony/conf.d\nsourcedir /etc/chrony/sources.d\nconfdir /etc/chrony\n");
  tree.file("/etc/chrony/sources.d/x.sources", "server x.example nts\n");
  tree.file("/etc/chrony/sources.d/notes", "server no.example\n").fifo("/etc/chrony/conf.d/p.conf");

  const auto answer =
      sdk::run_collector(make_config_drift(), tree.path(), {.tables = {"time_sources"}});

  CHECK(answer.violation == "");
  CHECK(answer.cell("time_sources", "address", "b.example", "service") == "timesyncd");
  CHECK(answer.cell("time_sources", "address", "x.example", "authenticated") == "true");
  CHECK(answer.tables.at("time_sources").size() == 3);
  CHECK(answer.has_gap("time_sources", "/etc/chrony/conf.d/p.conf"));
}
