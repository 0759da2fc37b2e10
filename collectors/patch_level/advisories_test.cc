// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/advisories.h"

#include <catch2/catch.hpp>
#include <string>

#include "collectors/patch_level/patch_level.h"
#include "collectors/sdk/testing.h"
#include "core/file.h"
#include "core/json_stream.h"

namespace vouch::patch_level {
namespace {

const FeedRelease kRelease{"bookworm", "Debian:12"};

InstalledSources installed() {
  return {{"openssl", {"3.0.9-1", {"libssl3", "openssl"}}}, {"curl", {"7.88-10", {"curl"}}}};
}

Result<FeedResult> read(const std::string& text) {
  const auto file = memory_file(text);
  REQUIRE(file);
  return read_feed(file->get(), installed(), kRelease);
}

std::string flaw(const std::string& name, const std::string& release, const std::string& fields) {
  return '"' + name + R"(":{"description":"x","debianbug":1,"releases":{")" + release + R"(":{)" +
         fields + R"(,"repositories":{"bookworm":"1"}}}})";
}

std::string osv(const std::string& ecosystem, const std::string& name, const std::string& events) {
  return R"({"schema_version":"1.6.0","id":"DSA-1-1","aliases":["CVE-2026-9"],"affected":[{"package":)"
         R"({"ecosystem":")" +
         ecosystem + R"(","name":")" + name + R"("},"ranges":[{"type":"ECOSYSTEM","events":[)" +
         events + R"(]}],"ecosystem_specific":{"urgency":"high"}}],"score":7.5})";
}

TEST_CASE("Debian's tracker gives the flaws of what is installed", "[advisories]") {
  const auto feed =
      read(R"({"openssl":{)" +
           flaw("CVE-1", "bookworm",
                R"("status":"resolved","fixed_version":"3.0.11-1","urgency":"high")") +
           ',' + flaw("CVE-2", "bookworm", R"("status":"resolved","fixed_version":"3.0.9-1")") +
           ',' + flaw("CVE-3", "bookworm", R"("status":"resolved","fixed_version":"0")") + ',' +
           flaw("CVE-4", "bookworm", R"("status":"open","urgency":"low")") + ',' +
           flaw("CVE-5", "trixie", R"("status":"open")") + R"(},"vim":{)" +
           flaw("CVE-6", "bookworm", R"("status":"open")") + "}}");

  REQUIRE(feed);
  CHECK(feed->entries == 2);
  REQUIRE(feed->vulnerabilities.size() == 2);
  CHECK(feed->vulnerabilities[0].cve == "CVE-1");
  CHECK(feed->vulnerabilities[0].fixed_version == "3.0.11-1");
  CHECK(feed->vulnerabilities[0].urgency == "high");
  CHECK(feed->vulnerabilities[1].cve == "CVE-4");
  CHECK_FALSE(feed->vulnerabilities[1].fixed_version);
}

TEST_CASE("OSV records are matched by ecosystem and range", "[advisories]") {
  const std::string fixed = R"({"introduced":"0"},{"fixed":"3.0.11-1"})";
  const auto feed =
      read(osv("Debian:12", "openssl", fixed) + "\n" + osv("Debian:11", "openssl", fixed) + "\n" +
           osv("Debian:12", "vim", fixed) + "\n");
  REQUIRE(feed);
  CHECK(feed->entries == 3);
  REQUIRE(feed->vulnerabilities.size() == 1);
  CHECK(feed->vulnerabilities[0].cve == "CVE-2026-9");
  CHECK(feed->vulnerabilities[0].fixed_version == "3.0.11-1");
  CHECK(feed->vulnerabilities[0].urgency == "high");

  const auto count = [&](const std::string& events) {
    return read(osv("Debian:12", "openssl", events))->vulnerabilities.size();
  };
  CHECK(count(R"({"introduced":"0"},{"fixed":"3.0.9-1"})") == 0);
  CHECK(count(R"({"introduced":"3.0.10-1"},{"fixed":"3.0.11-1"})") == 0);
  CHECK(count(R"({"introduced":"0"})") == 1);
  CHECK(count(R"({"introduced":"0"},{"last_affected":"3.0.9-1"})") == 1);
  CHECK(count(R"({"introduced":"0"},{"last_affected":"3.0.8-1"})") == 0);
  CHECK(count(R"({"introduced":"0"},{"fixed":"2"},{"introduced":"3.0.9-1"},{"fixed":"4"})") == 1);
}

TEST_CASE("what is no feed, or is cut off, is an error", "[advisories]") {
  const std::string good =
      R"({"openssl":{)" + flaw("CVE-4", "bookworm", R"("status":"open")") + "}}";
  for (std::size_t size = 0; size < good.size(); size += 3) CHECK_FALSE(read(good.substr(0, size)));
  CHECK_FALSE(read("<html>"));
  CHECK_FALSE(read("{}"));
  CHECK_FALSE(read(good + "x"));
  CHECK_FALSE(read("{\"a\":\"\xff\"}"));
  CHECK_FALSE(read(std::string(100, '[')));
  CHECK_FALSE(read("{\"" + std::string(2 << 20, 'x') + "\":1}"));
  CHECK_FALSE(read(R"({"schema_version":"1","id":3})"));
}

TEST_CASE("a host's vulnerabilities name its packages and the feed", "[advisories]") {
  sdk::TestTree tree;
  tree.file("/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n")
      .file("/var/lib/dpkg/status",
            "Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\n"
            "Source: openssl\nVersion: 3.0.9-1\n\n")
      .file("/feeds/debian.json",
            R"({"openssl":{)" + flaw("CVE-4", "bookworm", R"("status":"open","urgency":"high")") +
                "}}")
      .fifo("/feeds/fifo.json");
  const auto run = [&](json::Array feeds) {
    return sdk::run_collector(make_patch_level(), tree.path(),
                              {.tables = {"vulnerabilities", "advisory_feeds"},
                               .options = {{"advisories", std::move(feeds)}}});
  };

  const auto answer = run({"/feeds/debian.json", "/feeds/fifo.json", "/feeds/none.json"});

  CHECK(answer.violation.empty());
  CHECK(answer.cell("vulnerabilities", "cve", "CVE-4", "packages") == "libssl3");
  CHECK(answer.cell("vulnerabilities", "cve", "CVE-4", "installed_version") == "3.0.9-1");
  CHECK(answer.cell("vulnerabilities", "cve", "CVE-4", "fixed_version") == "null");
  CHECK(answer.has_gap("vulnerabilities", "/feeds/fifo.json"));
  CHECK(answer.has_gap("vulnerabilities", "/feeds/none.json"));
  CHECK(answer.cell("advisory_feeds", "path", "/feeds/debian.json", "modified") != "");
  CHECK_THAT(run({}).errors.at("vulnerabilities"), Catch::StartsWith("not-found"));
}

}  // namespace
}  // namespace vouch::patch_level
