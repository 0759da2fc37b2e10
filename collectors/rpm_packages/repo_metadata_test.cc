// SPDX-License-Identifier: Apache-2.0
#include "collectors/rpm_packages/repo_metadata.h"

#include <catch2/catch.hpp>

#include "collectors/rpm_packages/cached_metadata.h"
#include "collectors/sdk/testing.h"
#include "core/zstd.h"

using namespace vouch;
using namespace vouch::rpm_packages;

namespace {

const std::string kPrimary =
    "<?xml version=\"1.0\"?><metadata xmlns=\"http://linux.duke.edu/metadata/common\" "
    "xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\" packages=\"3\">\n"
    "<package type=\"rpm\"><name>a</name><arch>x86_64</arch><version epoch=\"1\" ver=\"2\" "
    "rel=\"3\"/><format><rpm:vendor>V &amp; W</rpm:vendor><rpm:requires><rpm:entry "
    "name=\"x\"/></rpm:requires><file>/name</file></format></package>\n"
    "<package type=\"rpm\"><name>a</name><arch>src</arch><version epoch=\"1\" ver=\"2\" "
    "rel=\"3\"/></package>\n"
    "<package type=\"rpm\"><name>b</name><arch>noarch</arch><version ver=\"1\" rel=\"1\"/>"
    "</package>\n</metadata>";

Status read(const std::string& text, std::vector<ListedPackage>& packages) {
  MetadataReader reader([&](const ListedPackage& package) { packages.push_back(package); });
  for (const char c : text) {
    if (auto status = reader.feed({&c, 1}); !status) return status;
  }
  return reader.finish();
}

}  // namespace

TEST_CASE("the packages of a repository are read, in any pieces", "[repodata]") {
  std::vector<ListedPackage> packages;

  REQUIRE(read(kPrimary, packages));

  REQUIRE(packages.size() == 2);
  CHECK(packages[0].vendor == "V & W");
  CHECK(evr_text(packages[0].epoch, packages[0].version, packages[0].release) == "1:2-3");
  CHECK(evr_text(packages[1].epoch, packages[1].version, packages[1].release) == "1-1");
  CHECK(packages[1].vendor.empty());
}

TEST_CASE("what is cut off, of another kind or hostile is an error", "[repodata]") {
  std::vector<ListedPackage> packages;
  for (std::size_t size = 0; size < kPrimary.size(); size += 13) {
    CAPTURE(size);
    CHECK_FALSE(read(kPrimary.substr(0, size), packages));
  }
  CHECK_FALSE(read("<updates></updates>", packages));
  CHECK_FALSE(read("<!DOCTYPE x [<!ENTITY a \"b\">]><metadata>&a;</metadata>", packages));
  std::string deep = "<metadata>";
  for (int i = 0; i < 100; ++i) deep += "<x>";
  CHECK_FALSE(read(deep, packages));
  CHECK_FALSE(read("<metadata><package><name>" + std::string(5000, 'x'), packages));
}

TEST_CASE("advisories have their kind and their packages", "[repodata]") {
  std::vector<Advisory> advisories;
  MetadataReader reader([&](const Advisory& advisory) { advisories.push_back(advisory); });

  REQUIRE(reader.feed(
      "<updates><update type=\"security\"><id>E-1</id><severity>Low</severity><references>"
      "<reference id=\"CVE-1\"/></references><pkglist><collection><package name=\"a\" "
      "version=\"2\" release=\"3\" epoch=\"1\" arch=\"x86_64\"><filename>f</filename></package>"
      "</collection></pkglist></update><update type=\"bugfix\"><id>E-2</id></update></updates>"));
  REQUIRE(reader.finish());

  REQUIRE(advisories.size() == 2);
  CHECK((advisories[0].id == "E-1" && advisories[0].severity == "Low"));
  REQUIRE(advisories[0].packages.size() == 1);
  CHECK(advisories[0].packages[0].epoch == "1");
  CHECK((advisories[1].type == "bugfix" && advisories[1].packages.empty()));
}

TEST_CASE("the cache of the last fetch is read, compressed or not", "[repodata]") {
  sdk::TestTree tree;
  const std::string repomd =
      "<repomd><data type=\"primary\"><location href=\"repodata/../p\"/>"
      "<timestamp>5</timestamp></data><data type=\"x\"><timestamp>9</timestamp></data></repomd>";
  const std::string base = "/var/cache/dnf/a-0123456789abcdef/repodata/";
  tree.file(base + "repomd.xml", repomd);
  tree.file(base + "p", GENERATE(as<std::string>{}, kPrimary, zstd::compress(kPrimary)));
  tree.file("/var/cache/dnf/a-b-0123456789abcdef/repodata/repomd.xml", "");
  tree.file("/var/cache/dnf/a.solv", "");
  const auto root = Root::open(tree.path()).value();
  Repository repository;
  repository.id = "a";
  const MetadataCache cache(root, ManagerConfig{});

  const auto cached = cache.read(repository);

  REQUIRE(cached);
  CHECK(cached->repomd.made == 9);
  std::size_t count = 0;
  MetadataReader reader([&](const ListedPackage&) { ++count; });
  CHECK(cache.feed(*cached, "primary", reader));
  CHECK(count == 2);
  MetadataReader other([](const Advisory&) {});
  CHECK(cache.feed(*cached, "updateinfo", other).error().code == Errc::not_found);
  repository.id = "c";
  CHECK(cache.read(repository).error().code == Errc::not_found);
}
