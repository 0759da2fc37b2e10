// SPDX-License-Identifier: Apache-2.0
#include "core/json.h"
#include "source_dir.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <vector>

namespace vouch::json {
namespace {

std::string nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') +
         std::string(static_cast<std::size_t>(depth), ']');
}

std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("keys are sorted by UTF-16 code unit and strings escaped as RFC 8785 says", "[json]") {
  const auto value = parse(
      R"( { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7 } )");

  REQUIRE(value);
  CHECK(
      write(*value) ==
      "{\"\\r\":2,\"1\":4,\"\xc2\x80\":6,\"\xc3\xb6\":7,\"\xe2\x82\xac\":1,\"\xf0\x9f\x98\x80\":5,"
      "\"\xef\xac\xb3\":3}");
  CHECK(write(Value("\x1f\b\f\n\r\t\"\\/\x7f")) == "\"\\u001f\\b\\f\\n\\r\\t\\\"\\\\/\x7f\"");
}

TEST_CASE("a parsed canonical text is written as the same bytes", "[json]") {
  const auto text =
      GENERATE(as<std::string>{}, "null", "true", "[]", "{}", "[0,-1,9007199254740991]",
               R"({"a":[{"b":null}],"c":"zoë"})", "-9007199254740991", "\"\"");
  const auto value = parse(text);
  REQUIRE(value);
  CHECK(write(*value) == text);
}

TEST_CASE("numbers that are no plain integers are refused", "[json]") {
  const auto bad =
      GENERATE(as<std::string>{}, "9007199254740992", "-9007199254740992", "1.0", "1e3", "1E3",
               "0e0", "-0", "007", "+1", "1.", ".5", "18446744073709551616", "9223372036854775808",
               "1e400", "NaN", "Infinity", "-", "0x10");
  CAPTURE(bad);
  const auto value = parse(bad);
  REQUIRE_FALSE(value);
  CHECK(value.error().code == Errc::invalid);
  CHECK_FALSE(parse("[" + bad + "]"));
}

TEST_CASE("text that another reader could take differently is refused", "[json]") {
  const auto bad = GENERATE(
      as<std::string>{}, R"({"a":1,"a":2})", R"({"a":1,"\u0061":2})", R"("\ud800")", R"("\udc00x")",
      R"("\ud83dx")", "\"\\u0000\"", "{\"\\u0000\":1}", "\"a\nb\"", "\"\x01\"", "\"\xff\"",
      "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf5\x80\x80\x80\"", "\xef\xbb\xbf{}", "{}x", "{} {}",
      "", " ", "[1,]", "{\"a\":1,}", "// c\n1", "'a'", "{a:1}", "[", "\"abc", "nul");
  CAPTURE(bad);
  CHECK_FALSE(parse(bad));
}

TEST_CASE("a raw NUL byte is refused wherever it stands", "[json]") {
  CHECK_FALSE(parse(std::string_view("\"a\0b\"", 5)));
  CHECK_FALSE(parse(std::string_view("1\0", 2)));
}

TEST_CASE("sixteen levels are read and seventeen refused by name", "[json]") {
  CHECK(parse(nested(kDepthMax)));
  const auto deep = parse(nested(kDepthMax + 1));
  REQUIRE_FALSE(deep);
  CHECK_THAT(deep.error().message, Catch::Contains("16 levels"));
  CHECK_FALSE(parse(nested(100000)));
}

TEST_CASE("an error names the byte and the rule", "[json]") {
  const auto value = parse(R"({"ab":1,"ab":2})");
  REQUIRE_FALSE(value);
  CHECK_THAT(value.error().message, Catch::Contains("byte") && Catch::Contains("duplicate key"));
}

TEST_CASE("long strings and keys arrive whole", "[json]") {
  const std::string longer(100000, 'x');
  const auto value = parse("{\"" + longer + "\":\"" + longer + "\\n" + longer + "\"}");
  REQUIRE(value);
  REQUIRE(value->find(longer));
  CHECK(*value->find(longer)->if_string() == longer + "\n" + longer);
}

TEST_CASE("typed access names the member that is wrong", "[json]") {
  const auto value = parse(R"({"n":1,"s":"x","b":true,"a":[],"o":{}})");
  REQUIRE(value);
  CHECK(get_integer(*value, "n").value_or(0) == 1);
  CHECK(get_string(*value, "s").value_or("") == "x");
  CHECK(get_bool(*value, "b").value_or(false));
  CHECK(get_array(*value, "a"));
  CHECK(get_object(*value, "o"));
  const auto missing = get_integer(*value, "seq");
  REQUIRE_FALSE(missing);
  CHECK_THAT(missing.error().message, Catch::Contains("\"seq\""));
  CHECK_FALSE(get_string(*value, "n"));
}

TEST_CASE("the published canonicalisation vectors without fractions pass", "[json][vectors]") {
  const std::string folder = VOUCH_SOURCE_DIR "/../shared/vectors/jcs/testdata/";
  const auto name = GENERATE(as<std::string>{}, "arrays", "french", "unicode", "weird");
  const auto input = slurp(folder + "input/" + name + ".json");
  if (input.empty()) {
    WARN("skipped: no vectors at " << folder);
    return;
  }
  const auto value = parse(input);
  const auto expected = slurp(folder + "output/" + name + ".json");
  REQUIRE(value);
  CHECK(write(*value) == expected);
}

TEST_CASE("the vectors with fractions are refused, since our formats have none",
          "[json][vectors]") {
  const std::string folder = VOUCH_SOURCE_DIR "/../shared/vectors/jcs/testdata/";
  const auto name = GENERATE(as<std::string>{}, "values", "structures");
  const auto input = slurp(folder + "input/" + name + ".json");
  if (input.empty()) {
    WARN("skipped: no vectors at " << folder);
    return;
  }
  CHECK_FALSE(parse(input));
}

TEST_CASE("numbers of other programs are kept as their text", "[json]") {
  const auto value = parse_foreign(R"({"a":0.25,"b":7710721118794888787,"c":99999999999999999999,)"
                                   R"("d":1e3,"e":-0,"f":12,"g":[1.5]})");

  REQUIRE(value);
  CHECK(write(*value) == R"({"a":"0.25","b":"7710721118794888787","c":"99999999999999999999",)"
                         R"("d":"1e3","e":"-0","f":12,"g":["1.5"]})");
  CHECK_FALSE(parse_foreign(R"({"a":0.25,"a":1})"));
  CHECK_FALSE(parse_foreign("[01]"));
}

}  // namespace vouch::json
