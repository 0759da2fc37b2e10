// SPDX-License-Identifier: Apache-2.0
#include "core/text_table.h"

#include <catch2/catch.hpp>

namespace vouch {

TEST_CASE("columns are as wide as their widest cell and lines end without blanks", "[text_table]") {
  TextTable table({"NAME", "UID"});
  table.add({"zoë", "1000"});
  table.add({"longest", ""});

  CHECK(table.render({80, false}) == "NAME     UID\nzoë      1000\nlongest\n");
}

TEST_CASE("a cell that does not fit is wrapped and never cut", "[text_table]") {
  TextTable table({"ID", "TEXT"});
  table.add({"a", "one two three four five six seven eight nine ten"});
  table.add({"b", std::string(60, 'x')});

  const auto text = table.render({40, false});

  for (std::size_t start = 0; start < text.size();) {
    const auto end = text.find('\n', start);
    CHECK(end - start <= 40);
    start = end + 1;
  }
  CHECK_THAT(text, Catch::Contains("ten"));
  CHECK(static_cast<std::size_t>(std::count(text.begin(), text.end(), 'x')) == 60 + 1);  // six
}

TEST_CASE("names stay whole while prose can be wrapped instead", "[text_table]") {
  TextTable table({"CHECK", "WHAT"});
  table.add({"ssh-authentication.no-single-password", "A password alone does not open a session"});

  const auto text = table.render({60, false});

  CHECK_THAT(text, Catch::Contains("ssh-authentication.no-single-password"));
  CHECK_THAT(text, Catch::Contains("session"));
}

TEST_CASE("a host's data cannot drive the reader's terminal", "[text_table]") {
  CHECK(printable("a\x1b[2Jb") == "a\\x1b[2Jb");
  CHECK(printable("a\nb\x7f") == "a\\nb\\x7f");
  CHECK(printable("\xff\xc3\xab") == "\\xff\\xc3\\xab");
  CHECK(printable("\xc2\x9b"
                  "31m") == "\\x9b31m");
  CHECK(printable("zo\xc3\xab") == "zo\xc3\xab");
}

TEST_CASE("colour is written only where the terminal was asked", "[text_table]") {
  CHECK(coloured("x", Colour::red, {80, false}) == "x");
  CHECK(coloured("x", Colour::red, {80, true}) == "\x1b[31mx\x1b[0m");
}

}  // namespace vouch
