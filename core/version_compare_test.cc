// SPDX-License-Identifier: Apache-2.0
#include "core/version_compare.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace vouch {
namespace {

struct Pair {
  const char* older;
  const char* newer;
};

std::string output_of(const std::string& command) {
  std::string output;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  char buffer[4096];
  while (pipe && std::fgets(buffer, sizeof buffer, pipe.get()) != nullptr) output += buffer;
  return output;
}

// A version made of the pieces that the algorithms treat differently.
std::string random_version(std::mt19937& random, const std::vector<std::string>& pieces) {
  std::string version = random() % 4 == 0 ? std::to_string(random() % 3) + ":" : "";
  version += std::to_string(random() % 3);
  for (auto count = random() % 5; count > 0; --count) version += pieces[random() % pieces.size()];
  if (random() % 2 == 0) version += "-" + std::to_string(random() % 3) + pieces[random() % 8];
  return version;
}

TEST_CASE("versions of Debian packages sort as dpkg sorts them", "[version]") {
  const auto pair = GENERATE(
      Pair{"1.0", "1.1"}, Pair{"1.9", "1.10"}, Pair{"1.0~rc1", "1.0"}, Pair{"1.0", "1.0-1"},
      Pair{"1.0-1", "1.0-1+b1"}, Pair{"1.0-1", "1:0.1-1"}, Pair{"1.0a", "1.0+"},
      Pair{"1.0-1~bpo12+1", "1.0-1"}, Pair{"2.36-9+deb12u9", "2.36-9+deb12u10"},
      Pair{"1.0~~", "1.0~~a"}, Pair{"1.0~~a", "1.0~"}, Pair{"1.2.3", "1.2.3-1-1"}, Pair{"", "0a"},
      Pair{"99999999999999999998", "99999999999999999999"}, Pair{"1.0-1", "1.0.1-0"});
  CAPTURE(pair.older, pair.newer);

  CHECK(version_compare(VersionScheme::deb, pair.older, pair.newer) == -1);
  CHECK(version_compare(VersionScheme::deb, pair.newer, pair.older) == 1);
  CHECK(version_compare(VersionScheme::deb, pair.newer, pair.newer) == 0);
}

TEST_CASE("differently written versions of Debian packages can be equal", "[version]") {
  CHECK(version_compare(VersionScheme::deb, "0:1.0", "1.0") == 0);
  CHECK(version_compare(VersionScheme::deb, "1.00", "1.0") == 0);
  CHECK(version_compare(VersionScheme::deb, "1.0-0", "1.0") == 0);
}

TEST_CASE("versions of RPM packages sort as rpm sorts them", "[version]") {
  const auto pair = GENERATE(
      Pair{"1.0", "2.0"}, Pair{"2.0", "2.0.1"}, Pair{"1.0~rc1", "1.0"}, Pair{"1.0", "1.0^git1"},
      Pair{"1.0^git1", "1.0.1"}, Pair{"1.0~rc1", "1.0~rc1^git1"}, Pair{"1.0a", "1.0.1"},
      Pair{"5.5p9", "5.5p10"}, Pair{"xyz", "8.0"}, Pair{"10xyz", "10.1xyz"}, Pair{"1-1", "1-2"},
      Pair{"1-9.el9", "1-10.el9"}, Pair{"9-1", "1:1-1"}, Pair{"1", "1-1"}, Pair{"2.0", "2.0a"});
  CAPTURE(pair.older, pair.newer);

  CHECK(version_compare(VersionScheme::rpm, pair.older, pair.newer) == -1);
  CHECK(version_compare(VersionScheme::rpm, pair.newer, pair.older) == 1);
  CHECK(version_compare(VersionScheme::rpm, pair.newer, pair.newer) == 0);
}

TEST_CASE("separators and leading zeros do not count in versions of RPM packages", "[version]") {
  CHECK(version_compare(VersionScheme::rpm, "2_0", "2.0") == 0);
  CHECK(version_compare(VersionScheme::rpm, "2.01", "2.1") == 0);
  CHECK(version_compare(VersionScheme::rpm, "0:2-1", "2-1") == 0);
}

TEST_CASE("only deb and rpm are version schemes", "[version]") {
  CHECK(version_scheme("deb") == VersionScheme::deb);
  CHECK(version_scheme("rpm") == VersionScheme::rpm);
  CHECK_FALSE(version_scheme("semver"));
  CHECK_FALSE(version_scheme(""));
}

TEST_CASE("dpkg itself gives the same order for random pairs", "[version]") {
  if (access("/usr/bin/dpkg", X_OK) != 0) {
    WARN("skipped: dpkg is not installed");
    return;
  }
  std::mt19937 random(20260101);
  const std::vector<std::string> pieces = {"",  ".",  "~", "+", "a",  "Z",   "0",  "1",
                                           "9", "10", "~", "b", "00", ".~1", "-1", "+b1"};
  std::vector<std::pair<std::string, std::string>> pairs;
  std::string script;
  for (int i = 0; i < 400; ++i) {
    pairs.emplace_back(random_version(random, pieces), random_version(random, pieces));
    const auto arguments = " '" + pairs.back().first + "' OPERATOR '" + pairs.back().second + "'";
    for (const char* name : {"lt", "eq"}) {
      auto line = "dpkg --compare-versions" + arguments + " && printf 1 || printf 0;";
      script += line.replace(line.find("OPERATOR"), 8, name);
    }
  }

  const std::string answers = output_of("{ " + script + " } 2>/dev/null");

  REQUIRE(answers.size() == pairs.size() * 2);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    CAPTURE(pairs[i].first, pairs[i].second);
    const int expected = answers[2 * i] == '1' ? -1 : (answers[2 * i + 1] == '1' ? 0 : 1);
    CHECK(version_compare(VersionScheme::deb, pairs[i].first, pairs[i].second) == expected);
  }
}

TEST_CASE("rpm itself gives the same order for random pairs", "[version]") {
  if (access("/usr/bin/rpm", X_OK) != 0) {
    WARN("skipped: rpm is not installed");
    return;
  }
  std::mt19937 random(20260102);
  const std::vector<std::string> pieces = {"",  ".",  "~", "^", "a",  "Z",   "0", "1",
                                           "9", "10", "~", "b", "00", ".^1", "_", "rc1"};
  std::vector<std::pair<std::string, std::string>> pairs;
  std::string arguments;
  for (int i = 0; i < 400; ++i) {
    pairs.emplace_back(random_version(random, pieces), random_version(random, pieces));
    arguments += " --eval '%{lua:print(rpm.vercmp(\"" + pairs.back().first + "\",\"" +
                 pairs.back().second + "\"))}'";
  }

  const std::string answers = output_of("rpm" + arguments);

  std::size_t at = 0;
  for (const auto& [left, right] : pairs) {
    CAPTURE(left, right);
    const auto end = answers.find('\n', at);
    REQUIRE(end != std::string::npos);
    CHECK(version_compare(VersionScheme::rpm, left, right) ==
          std::atoi(answers.substr(at, end - at).c_str()));
    at = end + 1;
  }
}

}  // namespace
}  // namespace vouch
