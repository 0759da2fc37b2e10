// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/stanza.h"

#include <catch2/catch.hpp>
#include <string>

namespace vouch::patch_level {
namespace {

std::vector<Stanza> all(std::string_view text, Comments comments = Comments::none) {
  std::vector<Stanza> stanzas;
  std::size_t line = 1;
  Stanza stanza;
  while (next_stanza(text, line, comments, stanza)) stanzas.push_back(stanza);
  return stanzas;
}

TEST_CASE("stanzas are separated by empty lines, however many", "[stanza]") {
  const auto stanzas = all("\n\nA: 1\nB: 2\n\n \t\n\nA: 3\n");

  REQUIRE(stanzas.size() == 2);
  CHECK(stanzas[0].get("A") == "1");
  CHECK(stanzas[0].get("B") == "2");
  CHECK(stanzas[0].line == 3);
  CHECK(stanzas[1].get("A") == "3");
  CHECK(stanzas[1].line == 8);
}

TEST_CASE("continuation lines belong to the value of their field", "[stanza]") {
  const auto stanzas = all("A: 1\n 2\n\t3\nB:\n x\n");

  REQUIRE(stanzas.size() == 1);
  CHECK(stanzas[0].get("A") == "1\n 2\n\t3");
  CHECK(words(stanzas[0].get("B")) == std::vector<std::string_view>{"x"});
}

TEST_CASE("field names compare without regard to case and missing ones are empty", "[stanza]") {
  const auto stanzas = all("sIGNED-bY: key\n");

  CHECK(stanzas.at(0).get("Signed-By") == "key");
  CHECK(stanzas.at(0).get("Signed").empty());
  CHECK(stanzas.at(0).find("Types") == nullptr);
}

TEST_CASE("CR at line ends is white space", "[stanza]") {
  const auto stanzas = all("A: 1\r\nB: 2\r\n\r\nA: 3\r\n");

  REQUIRE(stanzas.size() == 2);
  CHECK(stanzas[0].get("A") == "1");
  CHECK(stanzas[0].get("B") == "2");
}

TEST_CASE("comments are skipped only where they are comments", "[stanza]") {
  const auto with = all("# one\nA: 1\n# two\nB: 2\n", Comments::hash);
  const auto without = all("# one\nA: 1\n", Comments::none);

  REQUIRE(with.size() == 1);
  CHECK(with[0].get("B") == "2");
  CHECK(with[0].bad_line == 0);
  CHECK(without.at(0).bad_line == 1);
}

TEST_CASE("a line that is neither field nor continuation is named", "[stanza]") {
  const auto text = GENERATE(as<std::string>{}, "A: 1\njunk\nB: 2\n", "A: 1\n: x\n");

  CHECK(all(text).at(0).bad_line == 2);
  CHECK(all(" starts with a continuation\n").at(0).bad_line == 1);
}

TEST_CASE("a raw field is found at the start of a line only", "[stanza]") {
  const std::string text = "Depends: Version: 0\nX-Version: 1\nVersion: 2\n 3\nVersion: 4\n";

  CHECK(raw_field(text, "Version") == "2\n 3");
  CHECK(raw_field(text, "version").empty());
  CHECK(raw_field("Version", "Version").empty());
  CHECK(raw_field("Version:", "Version").empty());
}

}  // namespace
}  // namespace vouch::patch_level
