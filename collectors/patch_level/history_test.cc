// SPDX-License-Identifier: Apache-2.0
// Logs of dpkg, apt and unattended-upgrades, also hostile ones.
#include <zlib.h>

#include <catch2/catch.hpp>
#include <ctime>
#include <string>

#include "collectors/patch_level/automatic_runs.h"
#include "collectors/patch_level/log_files.h"
#include "collectors/patch_level/package_history.h"
#include "collectors/patch_level/patch_level.h"
#include "collectors/sdk/testing.h"

namespace vouch::patch_level {
namespace {

WallSeconds at(const char* text) {
  return *parse_second(text);
}

Root open_root(const sdk::TestTree& tree) {
  return *Root::open(tree.path());
}

// "2026-11-27 09:49:59" of now, so that the history is recent.
std::string today(const char* time) {
  const std::time_t now = SystemClock().wall_ms() / 1000;
  return format_second(now).substr(0, 10) + " " + time;
}

std::string gzipped(const std::string& text) {
  std::string packed(text.size() + 1000, '\0');
  z_stream stream = {};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

sdk::TestAnswer run(const sdk::TestTree& tree, const std::string& table) {
  return sdk::run_collector(make_patch_level(), tree.path(), {.tables = {table}});
}

TEST_CASE("local times are read by the root's own zone", "[local_time]") {
  sdk::TestTree tree;
  tree.symlink("/etc/localtime", "/usr/share/zoneinfo/Europe/Berlin");
  const auto zone_file = read_file("/usr/share/zoneinfo/Europe/Berlin", 1 << 16);
  if (!zone_file) {
    WARN("skipped: no time zones are installed");
    return;
  }
  {
    const LocalTime none(open_root(tree));  // The link leads to nothing in this root.
    CHECK(none.parse("2026-07-01 12:00:00") == at("2026-07-01T12:00:00Z"));
  }
  tree.file("/usr/share/zoneinfo/Europe/Berlin", *zone_file);
  const LocalTime zone(open_root(tree));
  CHECK(zone.parse("2026-07-01  12:00:00 status") == at("2026-07-01T10:00:00Z"));
  CHECK(zone.parse("2026-12-01 12:00:00") == at("2026-12-01T11:00:00Z"));
  CHECK(zone.parse("2045-07-01 12:00:00") == at("2045-07-01T10:00:00Z"));
}

TEST_CASE("what is no time is none, and a hostile zone is no crash", "[local_time]") {
  sdk::TestTree tree;
  tree.file("/etc/localtime", std::string("TZif2\0\xff\xff\xff\xff\xff", 11));
  const LocalTime zone(open_root(tree));
  for (const char* text : {"", "2026", "2026-13-01 00:00:00", "2026-02-31 00:00:00",
                           "2026-01-01 24:00:00", "2026-01-01T00:00:00", "-026-01-01 00:00:00",
                           "2026-01-01 00:00", "1969-01-01 00:00:00", "\xff\xfe"}) {
    CAPTURE(text);
    CHECK_FALSE(zone.parse(text));
  }
  CHECK(zone.parse("2026-01-01 00:00:00"));
}

TEST_CASE("dpkg's log gives the changes and not the states between", "[history]") {
  sdk::TestTree tree;
  const LocalTime zone(open_root(tree));
  const auto changes = parse_dpkg_log(
      "2026-11-27 09:49:58 startup archives unpack\n"
      "2026-11-27 09:49:59 install a:amd64 <none> 1.0\n"
      "2026-11-27 09:49:59 status half-installed a:amd64 1.0\n"
      "2026-11-27 09:50:01 upgrade b:all 1:1.0-1 1:1.0-2\n"
      "2026-11-27 09:50:02 upgrade c:amd64 2 1\n"
      "2026-11-27 09:50:03 remove d:amd64 3 <none>\n"
      "2026-11-27 09:50:04 install e:amd64 1 2\n"
      "2026-11-27 09:50:05 upgrade x:amd64 1\n"
      "2026-11-27 09:50:05 upgrade :amd64 1 2\n"
      "\xff\xfe upgrade z:amd64 1 2\n2026-11-27 09:50:06 upgrade cut:am",
      zone, at("2026-11-27T09:49:59Z"));

  REQUIRE(changes.size() == 5);
  CHECK(changes[0].action == "install");
  CHECK(changes[0].old_version.empty());
  CHECK(changes[1].name == "b");
  CHECK(changes[1].arch == "all");
  CHECK(changes[1].time == at("2026-11-27T09:50:01Z"));
  CHECK(changes[2].action == "downgrade");
  CHECK(changes[3].new_version.empty());
  CHECK(changes[4].old_version.empty());
}

TEST_CASE("a change belongs to the apt run in which it happened", "[history]") {
  sdk::TestTree tree;
  const LocalTime zone(open_root(tree));
  const auto runs = parse_apt_history(
      "\nStart-Date: 2026-11-27  09:00:00\nCommandline: apt-get install a\n"
      "Requested-By: jane (1000)\nInstall: a:amd64 (1.0)\nEnd-Date: 2026-11-27  09:01:00\n\n"
      "Start-Date: 2026-11-27  10:00:00\nCommandline: /usr/bin/unattended-upgrade\n"
      "Error: Sub-process /usr/bin/dpkg returned an error code (1)\n\nStart-Date: junk\n",
      zone, 0);

  REQUIRE(runs.size() == 2);
  CHECK(runs[0].requested_by == "jane (1000)");
  const auto during = [&](const char* time) {
    return transaction_of({at(time), "install", "a", "amd64", "", "1"}, runs);
  };
  CHECK(during("2026-11-27T08:59:59Z") == nullptr);
  CHECK(during("2026-11-27T09:01:00Z") == &runs[0]);
  CHECK(during("2026-11-27T09:01:01Z") == nullptr);
  CHECK(during("2026-11-27T10:30:00Z") == &runs[1]);
  CHECK(during("2026-11-27T12:00:00Z") == nullptr);
}

TEST_CASE("the history of a host tells automatic, manual and direct changes", "[history]") {
  sdk::TestTree tree;
  tree.file("/var/log/dpkg.log", today("00:00:02") + " upgrade a:amd64 1 2\n" + today("00:00:09") +
                                     " install local:amd64 <none> 1\n")
      .file("/var/log/dpkg.log.1", today("00:00:00") + " install old:amd64 <none> 1\n")
      .file("/var/log/dpkg.log.2.gz", gzipped(today("00:00:01") + " remove b:amd64 1 <none>\n"))
      .file("/var/log/dpkg.log.3.gz", "\x1f\x8b junk")
      .file("/var/log/apt/history.log",
            "\nStart-Date: " + today("00:00:01") +
                "\nCommandline: apt-get -o Acquire::http::Proxy=http://u:hunter2@p/ install a\n"
                "Requested-By: jane (1000)\nEnd-Date: " +
                today("00:00:03") + "\n");

  const auto answer = run(tree, "package_changes");

  CHECK(answer.violation.empty());
  CHECK(answer.tables.at("package_changes").size() == 4);
  CHECK(answer.cell("package_changes", "name", "a", "initiator") == "apt");
  CHECK(answer.cell("package_changes", "name", "a", "requested_by") == "jane (1000)");
  CHECK(answer.cell("package_changes", "name", "b", "new_version") == "null");
  CHECK(answer.cell("package_changes", "name", "local", "initiator") == "dpkg");
  CHECK(answer.cell("package_changes", "name", "local", "command") == "null");
  CHECK(answer.has_gap("package_changes", "/var/log/dpkg.log.3.gz"));
  CHECK_THAT(answer.raw, !Catch::Contains("hunter2"));
}

TEST_CASE("a host without dpkg's log has no history, not an empty one", "[history]") {
  sdk::TestTree tree;
  CHECK_THAT(run(tree, "package_changes").errors.at("package_changes"),
             Catch::StartsWith("not-found"));
  tree.fifo("/var/log/dpkg.log");
  CHECK(run(tree, "package_changes").has_gap("package_changes", "/var/log/dpkg.log"));
}

TEST_CASE("gzip data are expanded whole, and never too far", "[history]") {
  const std::string text(100000, 'x');
  const std::string packed = gzipped(text);
  CHECK(*gunzip(packed, 200000) == text);
  CHECK(*gunzip(packed + packed, 200000) == text + text);
  CHECK(gunzip(packed, 50000).error().code == Errc::too_large);
  for (std::size_t size = 0; size < packed.size(); ++size) {
    CHECK_FALSE(gunzip(std::string_view(packed).substr(0, size), 200000));
  }
}

TEST_CASE("runs of unattended-upgrades have their results", "[history]") {
  sdk::TestTree tree;
  tree.file("/var/log/unattended-upgrades/unattended-upgrades.log",
            today("00:00:00,100") + " INFO All upgrades installed\n" +  // Of no known run.
                today("00:01:00,100") + " INFO Starting unattended upgrades script\n" +
                today("00:01:02,100") + " INFO Packages that will be upgraded: a b c\n" +
                today("00:01:30,100") + " INFO All upgrades installed\n" + today("00:02:00,100") +
                " INFO Starting unattended upgrades script\n" + today("00:02:01,100") +
                " ERROR Cache has broken packages, exiting\n" +
                "Traceback (most recent call last):\n\xff\xfe\n" + today("00:03:00,100") +
                " INFO Starting unattended upgrades script\n" + today("00:04:00,100") +
                " INFO Starting unattended upgrades script\n" + today("00:04:01,100") +
                " INFO No packages found that can be upgraded unattended and no pending "
                "auto-removals\n");

  const auto answer = run(tree, "automatic_updates");

  CHECK(answer.violation.empty());
  const auto& rows = answer.tables.at("automatic_updates");
  REQUIRE(rows.size() == 4);
  CHECK(*json::get_string(rows[0], "result") == "ok");
  CHECK(*json::get_integer(rows[0], "packages") == 3);
  CHECK(*json::get_string(rows[1], "result") == "failed");
  CHECK(*json::get_string(rows[1], "message") == "Cache has broken packages, exiting");
  CHECK(*json::get_string(rows[2], "result") == "incomplete");
  CHECK(*json::get_string(rows[3], "result") == "ok");
  tree.remove("/var/log/unattended-upgrades");
  CHECK(run(tree, "automatic_updates").tables.at("automatic_updates").empty());
}

TEST_CASE("the processor's flaws are as the kernel says", "[cpu]") {
  sdk::TestTree tree;
  CHECK_THAT(run(tree, "cpu_vulnerabilities").errors.at("cpu_vulnerabilities"),
             Catch::StartsWith("not-supported"));
  tree.file("/sys/devices/system/cpu/vulnerabilities/meltdown", "Vulnerable\n")
      .fifo("/sys/devices/system/cpu/vulnerabilities/odd");

  const auto answer = run(tree, "cpu_vulnerabilities");

  CHECK(answer.cell("cpu_vulnerabilities", "name", "meltdown", "status") == "Vulnerable");
  CHECK(answer.has_gap("cpu_vulnerabilities", "/sys/devices/system/cpu/vulnerabilities/odd"));
}

}  // namespace
}  // namespace vouch::patch_level
