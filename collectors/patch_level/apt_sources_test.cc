// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/apt_sources.h"

#include <catch2/catch.hpp>
#include <string>

namespace vouch::patch_level {
namespace {

TEST_CASE("a one-line source is read with its options", "[apt_sources]") {
  const auto parsed = parse_sources_list(
      "deb [ arch=amd64,i386 signed-by=/k.gpg trusted=yes allow-insecure=no ] "
      "http://x/debian stable main contrib # why\n",
      "/f");

  CHECK(parsed.problems.empty());
  REQUIRE(parsed.sources.size() == 1);
  const AptSource& source = parsed.sources[0];
  CHECK(source.file == "/f");
  CHECK(source.type == "deb");
  CHECK(source.uri == "http://x/debian");
  CHECK(source.suite == "stable");
  CHECK(source.components == std::vector<std::string>{"main", "contrib"});
  CHECK(source.architectures == std::vector<std::string>{"amd64", "i386"});
  CHECK(source.signed_by == "/k.gpg");
  CHECK(source.trusted);
  CHECK_FALSE(source.allow_insecure);
  CHECK(source.enabled);
}

TEST_CASE("lines that are no source are problems with their number and no address",
          "[apt_sources]") {
  const auto* bad =
      GENERATE("rpm http://user:hunter2@x/ s main", "deb", "deb http://user:hunter2@x/",
               "deb [arch=amd64 http://user:hunter2@x/ s main",
               "deb [trusted] http://user:hunter2@x/ s main", "deb http://user:hunter2@x/ s",
               "deb http://user:hunter2@x/ ./ main", "deb hunter2 s main");
  CAPTURE(bad);

  const auto parsed =
      parse_sources_list(std::string("\n# c\n") + bad + "\ndeb http://y/ s main\n", "/f");

  CHECK(parsed.sources.size() == 1);
  REQUIRE(parsed.problems.size() == 1);
  CHECK_THAT(parsed.problems[0], Catch::StartsWith("line 3: "));
  CHECK_THAT(parsed.problems[0], !Catch::Contains("hunter2"));
}

TEST_CASE("a deb822 stanza is one source per type, address and suite", "[apt_sources]") {
  const auto parsed = parse_deb822_sources(
      "# comment\nTypes: deb deb-src\nURIs: http://a http://b\nSuites: s t\n"
      "Components:\n main\n# inside\n contrib\nSigned-By:\n /a.gpg\n /b.gpg\nArchitectures-Add: "
      "armhf\n\n"
      "Types: deb\nURIs: http://c\nSuites: ./\nEnabled: no\nTrusted: yes\n",
      "/f.sources");

  CHECK(parsed.problems.empty());
  REQUIRE(parsed.sources.size() == 9);
  CHECK(parsed.sources[0].components == std::vector<std::string>{"main", "contrib"});
  CHECK(parsed.sources[0].signed_by == "/a.gpg /b.gpg");
  CHECK(parsed.sources[0].architectures == std::vector<std::string>{"+armhf"});
  CHECK(parsed.sources[7].type == "deb-src");
  CHECK(parsed.sources[7].uri == "http://b");
  CHECK(parsed.sources[7].suite == "t");
  CHECK_FALSE(parsed.sources[8].enabled);
  CHECK(parsed.sources[8].trusted);
}

TEST_CASE("an embedded key is said to be one", "[apt_sources]") {
  const auto parsed = parse_deb822_sources(
      "Types: deb\nURIs: http://a\nSuites: s\nComponents: main\nSigned-By:\n"
      " -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQENBF\n -----END PGP PUBLIC KEY BLOCK-----\n",
      "/f");

  REQUIRE(parsed.sources.size() == 1);
  CHECK(parsed.sources[0].signed_by == "(embedded key)");
}

TEST_CASE("stanzas that are no source are problems with their line", "[apt_sources]") {
  const auto* bad = GENERATE(
      "Types: rpm\nURIs: u\nSuites: s\nComponents: c\n", "URIs: u\nSuites: s\nComponents: c\n",
      "Types: deb\nSuites: s\nComponents: c\n", "Types: deb\nURIs: u\nComponents: c\n",
      "Types: deb\nURIs: u\nSuites: s\n", "Types: deb\nURIs: u\nSuites: s\nComponents: c\njunk\n");
  CAPTURE(bad);

  const auto parsed = parse_deb822_sources(std::string("\n") + bad, "/f");

  CHECK(parsed.sources.empty());
  REQUIRE(parsed.problems.size() == 1);
  CHECK_THAT(parsed.problems[0], Catch::StartsWith("line 2: "));
}

TEST_CASE("lists are named as apt names them", "[apt_sources]") {
  AptSource source;
  source.uri = "http://user:pw@deb.debian.org:8080/debian_x/";
  source.suite = "bookworm/updates";
  CHECK(list_prefix(source, "amd64") == "deb.debian.org:8080_debian%5fx_dists_bookworm_updates_");
  source.suite = "./";
  CHECK(list_prefix(source, "amd64") == "deb.debian.org:8080_debian%5fx_._");
  source.suite = "/";
  CHECK(list_prefix(source, "amd64") == "deb.debian.org:8080_debian%5fx_");
  source.uri = "file:/srv/$(ARCH)/~a";
  CHECK(list_prefix(source, "arm64") == "_srv_arm64_%7ea_");
  CHECK(packages_name("main", "amd64") == "main_binary-amd64_Packages");
  CHECK(packages_name("updates/main", "all") == "updates_main_binary-all_Packages");
  CHECK(packages_name("", "amd64") == "Packages");
}

TEST_CASE("the site of an address is its host", "[apt_sources]") {
  CHECK(site_of("https://u:p@a.example:8443/x") == "a.example");
  CHECK(site_of("file:/srv").empty());
  CHECK(site_of("cdrom:[Debian]/").empty());
  CHECK(site_of("nonsense").empty());
}

}  // namespace
}  // namespace vouch::patch_level
