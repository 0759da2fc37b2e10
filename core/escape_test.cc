// SPDX-License-Identifier: Apache-2.0
#include "core/escape.h"

#include <catch2/catch.hpp>

#include "core/json.h"

using vouch::escape_bytes;
using vouch::escape_invalid;

TEST_CASE("valid text is left as it is, and a backslash is doubled", "[escape]") {
  CHECK(escape_bytes("/etc/passwd") == "/etc/passwd");
  CHECK(escape_bytes("caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x92\xA9") ==
        "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x92\xA9");
  CHECK(escape_bytes("a\\b") == "a\\\\b");
}

TEST_CASE("bytes that are no printable UTF-8 are escaped one by one", "[escape]") {
  CHECK(escape_bytes(std::string_view("a\0b", 3)) == "a\\x00b");
  CHECK(escape_bytes("a\nb\x7F") == "a\\x0ab\\x7f");
  CHECK(escape_bytes("\xC2\x85") == "\\xc2\\x85");  // C1.
  CHECK(escape_bytes("\xC2\xA0") == "\xC2\xA0");    // The first after C1.
  CHECK(escape_bytes("\xFF\x41") == "\\xffA");
  CHECK(escape_bytes("\xC0\x80") == "\\xc0\\x80");                    // Overlong.
  CHECK(escape_bytes("\xED\xA0\x80") == "\\xed\\xa0\\x80");           // Surrogate.
  CHECK(escape_bytes("\xF4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // Over U+10FFFF.
  CHECK(escape_bytes("\xE2\x82") == "\\xe2\\x82");                    // Cut off.
}

TEST_CASE("every escaped byte string is valid UTF-8 without control bytes", "[escape]") {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string pair{static_cast<char>(first), static_cast<char>(second)};
      const std::string escaped = escape_bytes(pair);
      REQUIRE(vouch::json::is_valid_utf8(escaped));
      REQUIRE(vouch::json::is_valid_utf8(escape_invalid(pair)));
    }
  }
}

TEST_CASE("text is escaped only where it could not be written", "[escape]") {
  CHECK(escape_invalid("a\\b\tc") == "a\\b\tc");
  CHECK(escape_invalid(std::string_view("\0", 1)) == "\\x00");
  CHECK(escape_invalid("\\\xFF") == "\\\\\\xff");
}
