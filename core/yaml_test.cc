// SPDX-License-Identifier: Apache-2.0
#include "core/yaml.h"

#include <string>

#include <catch2/catch.hpp>

namespace vouch::yaml {
namespace {

std::string message_of(std::string_view text) {
  const auto node = parse(text, "f.yaml");
  return node ? "(accepted)" : node.error().message;
}

std::string json_of(std::string_view text) {
  const auto node = parse(text, "f.yaml");
  if (!node) return node.error().message;
  const auto value = to_json(*node, "f.yaml");
  return value ? json::write(*value) : value.error().message;
}

}  // namespace

TEST_CASE("a mapping keeps its order, positions and quotes", "[yaml]") {
  const auto node = parse("b: 1\na:\n  - x\n  - \"1\"\n", "f.yaml");

  REQUIRE(node);
  REQUIRE(node->kind == Node::Kind::mapping);
  REQUIRE(node->members.size() == 2);
  CHECK(node->members[0].first.scalar == "b");
  CHECK(node->find("a")->items.size() == 2);
  CHECK_FALSE(node->find("b")->quoted);
  CHECK(node->find("a")->items[1].quoted);
  CHECK(node->find("a")->items[1].mark.line == 4);
  CHECK(node->find("a")->items[1].mark.column == 5);
  CHECK(node->find("c") == nullptr);
}

TEST_CASE("bytes that are no text, and tabs, are found where they are", "[yaml]") {
  CHECK(message_of("a: 1\nb: \xC3\xA9\nc: \xFF\n") == "f.yaml:3:1: not valid UTF-8");
  CHECK(message_of("a:\n\tb: 1\n") == "f.yaml:2:1: a tab does not indent: use blanks");
  CHECK(message_of("a: [1,\t2]\n") == "(accepted)");
}

TEST_CASE("an empty file is null", "[yaml]") {
  const auto text = GENERATE(as<std::string>{}, "", "\n", "# a comment\n");

  const auto node = parse(text, "f.yaml");

  REQUIRE(node);
  CHECK(node->kind == Node::Kind::null);
}

TEST_CASE("block scalars are text", "[yaml]") {
  CHECK(json_of("sql: |\n  SELECT 1\n  FROM t\nn: >-\n  12\n") ==
        R"({"n":"12","sql":"SELECT 1\nFROM t\n"})");
}

TEST_CASE("scalars follow the core schema without floats", "[yaml]") {
  CHECK(json_of("[true, False, null, ~, 12, -3, +4, 0, yes, no, x, '12', \"true\", '', 1-2]") ==
        R"([true,false,null,null,12,-3,4,0,"yes","no","x","12","true","","1-2"])");
  CHECK(json_of("[2026-06-30T00:00:00Z, 1.2.3, 10:30, 0x1F, a.5, 1e, -, .]") ==
        R"(["2026-06-30T00:00:00Z","1.2.3","10:30","0x1F","a.5","1e","-","."])");
  CHECK(json_of("a: 9007199254740991") == R"({"a":9007199254740991})");
}

TEST_CASE("what would be a float or an ambiguous number is refused by position", "[yaml]") {
  const auto bad = GENERATE(as<std::string>{}, "1.0", "-2.5", ".5", "5.", "1e3", "1E-3", "1.5e+7",
                            ".inf", "-.inf", ".nan", "0644", "-0", "007", "9007199254740992",
                            "99999999999999999999999999");
  CAPTURE(bad);

  CHECK_THAT(json_of("a:\n  - " + bad + "\n"), Catch::StartsWith("f.yaml:2:5: "));
  CHECK_THAT(json_of("a: '" + bad + "'"), Catch::StartsWith("{\"a\":\""));
}

TEST_CASE("what our files do not use is refused with its position", "[yaml]") {
  CHECK_THAT(message_of("a: &x 1\n"), Catch::StartsWith("f.yaml:1:"));
  CHECK_THAT(message_of("a: &x 1\n"), Catch::Contains("anchors"));
  CHECK_THAT(message_of("a: &x {b: 1}\n"), Catch::Contains("anchors"));
  CHECK_THAT(message_of("a: &x [1]\nb: *x\n"), Catch::Contains("anchors"));
  CHECK_THAT(message_of("a: !!str 1\n"), Catch::Contains("tags"));
  CHECK_THAT(message_of("a: ! 1\n"), Catch::Contains("tags"));
  CHECK_THAT(message_of("a: !x {b: 1}\n"), Catch::Contains("tags"));
  CHECK_THAT(message_of("a: !x [1]\n"), Catch::Contains("tags"));
  CHECK_THAT(message_of("a:\n  <<: {b: 1}\n"), Catch::StartsWith("f.yaml:2:3: merge"));
  CHECK_THAT(message_of("a: 1\nb: 2\na: 3\n"), Catch::StartsWith("f.yaml:3:1: key \"a\""));
  CHECK_THAT(message_of("a: 1\n\"a\": 3\n"), Catch::Contains("twice"));
  CHECK_THAT(message_of("a: 1\n---\nb: 1\n"), Catch::Contains("more than one document"));
  CHECK_THAT(message_of("[a, b]: 1\n"), Catch::Contains("a key must be plain text"));
  CHECK_THAT(message_of("~: 1\n"), Catch::Contains("a key must be plain text"));
  CHECK_THAT(message_of(std::string(33, '[') + std::string(33, ']')), Catch::Contains("32"));
  CHECK(message_of(std::string(32, '[') + std::string(32, ']')) == "(accepted)");
}

TEST_CASE("a quoted merge key is a key like others", "[yaml]") {
  CHECK(json_of("'<<': 1\n") == R"({"<<":1})");
}

TEST_CASE("bytes that no text has are refused where they stand", "[yaml]") {
  CHECK_THAT(message_of("a: \xff\n"), Catch::Contains("UTF-8"));
  CHECK_THAT(message_of("\xEF\xBB\xBF"
                        "a: 1\n"),
             Catch::StartsWith("f.yaml:1:1: a byte order mark"));
  CHECK_THAT(message_of(std::string("a: 1\nb: x\0y\n", 12)), Catch::StartsWith("f.yaml:2:5: "));
  CHECK_THAT(message_of(std::string("a\0:\0 \0b\0", 8)), Catch::StartsWith("f.yaml:1:2: "));
  CHECK_THAT(message_of("a: \x7f\n"), Catch::Contains("control byte"));
}

TEST_CASE("broken syntax says where", "[yaml]") {
  const auto bad = GENERATE(as<std::string>{}, "a: [1\n", "a: {b\n", "a: 'x", "a: 'x\nb: 1\n",
                            "a: \"x\n", "a: b: c\n", "- a\nb: 1\n", "a:\n\t- b\n", "a: @b\n");
  CAPTURE(bad);

  CHECK_THAT(message_of(bad), Catch::Matches("f\\.yaml:[0-9]+:[0-9]+: .+"));
}

TEST_CASE("deep nesting ends with a message, not with the stack", "[yaml]") {
  CHECK_THAT(message_of(std::string(100'000, '[')), Catch::StartsWith("f.yaml:"));
  CHECK_THAT(message_of(std::string(100'000, '{')), Catch::StartsWith("f.yaml:"));
}

}  // namespace vouch::yaml
