// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/dpkg_status.h"

#include <catch2/catch.hpp>
#include <string>

namespace vouch::patch_level {
namespace {

constexpr const char* kGood =
    "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2-1\n\n";

DpkgStatus parse(std::string_view text) {
  return parse_dpkg_status(text, Relations::wanted);
}

TEST_CASE("an installed package is read with its source", "[dpkg]") {
  const auto status = parse(
      "Package: libc6\nStatus: hold ok installed\nArchitecture: amd64\nMulti-Arch: same\n"
      "Source: glibc (2.36-9)\nVersion: 2.36-9+b1\n\n");

  REQUIRE(status.packages.size() == 1);
  CHECK(status.problems.empty());
  const DebPackage& package = status.packages[0];
  CHECK(package.source == "glibc");
  CHECK(package.source_version == "2.36-9");
  CHECK(package.version == "2.36-9+b1");
  CHECK(package.held);
  CHECK(package.is_present());
}

TEST_CASE("a package without Source is its own source", "[dpkg]") {
  const auto status = parse(kGood);

  CHECK(status.packages.at(0).source == "bash");
  CHECK(status.packages.at(0).source_version == "5.2-1");
  CHECK_FALSE(status.packages.at(0).held);
}

TEST_CASE("leftover configuration is known but not present", "[dpkg]") {
  const auto status = parse(
      "Package: old\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 1\n\n"
      "Package: never\nStatus: unknown ok not-installed\nArchitecture: amd64\n\n");

  REQUIRE(status.packages.size() == 1);
  CHECK(status.packages[0].name == "old");
  CHECK_FALSE(status.packages[0].is_present());
  CHECK(status.problems.empty());
}

TEST_CASE("an entry that lacks a field is a problem and the others stand", "[dpkg]") {
  const auto bad = GENERATE(
      as<std::string>{}, "Package: x\nStatus: install ok installed\nArchitecture: amd64\n\n",
      "Package: x\nStatus: install ok installed\nVersion: 1\n\n",
      "Package: x\nArchitecture: amd64\nVersion: 1\n\n",
      "Package: x\nStatus: installed\nArchitecture: amd64\nVersion: 1\n\n",
      "Package: x\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1 2\n\n",
      "Package: x\nStatus: install ok installed\njunk\nArchitecture: amd64\nVersion: 1\n\n",
      "Package: ../x\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n",
      std::string("Package: x\0y\n\n", 14), std::string("\xff\xfe\x00\x01\n\n", 6));
  CAPTURE(bad);

  const auto status = parse(kGood + bad);

  CHECK(status.packages.size() == 1);
  REQUIRE(status.problems.size() == 1);
  CHECK_THAT(status.problems[0].message, Catch::StartsWith("line 6"));
}

TEST_CASE("a second entry for a package is a problem and the first one stands", "[dpkg]") {
  const auto status = parse(std::string(kGood) +
                            "Package: bash\nStatus: install ok installed\nArchitecture: amd64\n"
                            "Version: 6\n\n" +
                            "Package: bash\nStatus: install ok installed\nArchitecture: i386\n"
                            "Version: 5.2-1\n\n");

  REQUIRE(status.packages.size() == 2);
  CHECK(status.packages[0].version == "5.2-1");
  CHECK(status.packages[1].arch == "i386");
  REQUIRE(status.problems.size() == 1);
  CHECK(status.problems[0].object == "bash:amd64");
}

TEST_CASE("a status file without the empty line at its end was cut off", "[dpkg]") {
  const std::string whole = std::string(kGood) + kGood;
  for (std::size_t size = whole.size() / 2 + 1; size + 1 < whole.size(); ++size) {
    const auto status = parse(std::string_view(whole).substr(0, size));
    CAPTURE(size);
    REQUIRE_FALSE(status.problems.empty());
    CHECK(status.problems.back().object == "end of file");
  }
}

TEST_CASE("a file of junk gives a bounded number of problems", "[dpkg]") {
  std::string junk;
  for (int i = 0; i < 10000; ++i) junk += "junk\n\n";

  const auto status = parse(junk);

  CHECK(status.packages.empty());
  REQUIRE(status.problems.size() == 21);
  CHECK(status.problems.back().message == "9980 more entries could not be read");
}

TEST_CASE("dpkg's journal goes over the status file", "[dpkg]") {
  auto status = parse(kGood);

  apply_update(status, parse("Package: bash\nStatus: install ok half-configured\n"
                             "Architecture: amd64\nVersion: 5.3-1\n"));
  apply_update(status, parse("Package: new\nStatus: install ok unpacked\nArchitecture: all\n"
                             "Version: 1\n"));

  REQUIRE(status.packages.size() == 2);
  CHECK(status.packages[0].version == "5.3-1");
  CHECK(status.packages[0].status == "half-configured");
  CHECK(status.packages[1].status == "unpacked");
  CHECK(status.problems.empty());
}

TEST_CASE("automatically installed packages are those marked with 1", "[dpkg]") {
  const auto automatic = parse_extended_states(
      "Package: a\nArchitecture: amd64\nAuto-Installed: 1\n\n"
      "Package: b\nArchitecture: amd64\nAuto-Installed: 0\n\n");

  CHECK(automatic.contains("a:amd64"));
  CHECK(automatic.size() == 1);
}

TEST_CASE("relations compare equal however dpkg reformats them", "[dpkg]") {
  const auto of = [](const std::string& depends, const std::string& multi_arch) {
    return relations_of([&](std::string_view name) -> std::string_view {
      if (name == "Depends") return depends;
      return name == "Multi-Arch" ? std::string_view(multi_arch) : std::string_view();
    });
  };

  CHECK(of("libc6 (>= 2), Zlib", "") == of("libc6  (>2),\n zlib", "no"));
  CHECK(of("libc6 (>= 2)", "") != of("libc6 (>= 3)", ""));
  CHECK(of("libc6", "same") != of("libc6", ""));
}

TEST_CASE("the native architecture is that of dpkg", "[dpkg]") {
  CHECK(native_architecture(parse(kGood)).empty());
  CHECK(native_architecture(parse("Package: dpkg\nStatus: install ok installed\n"
                                  "Architecture: arm64\nVersion: 1\n\n")) == "arm64");
}

}  // namespace
}  // namespace vouch::patch_level
