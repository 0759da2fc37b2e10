// SPDX-License-Identifier: Apache-2.0
#include "collectors/facts/lines.h"

#include <catch2/catch.hpp>

using namespace vouch::facts;

TEST_CASE("a text is cut into lines, a line into words", "[facts]") {
  std::string_view text = "  one\ttwo \r\n\nlast";
  std::string_view line = take_line(text);

  CHECK(line == "one\ttwo");
  CHECK(take_word(line) == "one");
  CHECK(take_word(line) == "two");
  CHECK(take_word(line).empty());
  CHECK(take_word(line).empty());
  CHECK(take_line(text).empty());
  CHECK(take_line(text) == "last");
  CHECK(text.empty());
  CHECK(words_of(" a  b\t").size() == 2);
  CHECK(words_of(" \t").empty());
  CHECK(trim(" \r\n") == "\n");  // A line feed ends lines and is no blank.
}

TEST_CASE("comments and empty lines are counted, not taken", "[facts]") {
  std::string taken;
  int last = 0;

  each_line("# no\n\n a # b\n  #no\nc", [&](std::string_view line, int number) {
    taken += std::string(line) + ";";
    last = number;
  });

  CHECK(taken == "a # b;c;");
  CHECK(last == 5);
}

TEST_CASE("names: lower case, and the last part of a path", "[facts]") {
  CHECK(lower_case("ABCxyz-\xC3\x84") == "abcxyz-\xC3\x84");
  CHECK(base_name("/a/b") == "b");
  CHECK(base_name("b") == "b");
  CHECK(base_name("/a/").empty());
}
