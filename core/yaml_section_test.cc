// SPDX-License-Identifier: Apache-2.0
#include "core/yaml_section.h"

#include <catch2/catch.hpp>

namespace vouch {
namespace {

struct Read {
  std::string place = "/default";
  std::vector<std::string> words{"default"};
  std::int64_t wait_s = 7;
  bool loud = true;
};

bool is_short(std::string_view text) {
  return !text.empty() && text.size() < 5;
}

// The message, or "good".
std::string read(std::string_view text, Read& out) {
  const auto node = yaml::parse(text, "f.yaml");
  REQUIRE(node);
  YamlSection section(*node, "f.yaml", "a thing");
  section.path("place", out.place);
  section.texts("words", out.words, 2, is_short, "short words");
  section.number("wait", out.wait_s, parse_duration, 1, 60);
  section.boolean("loud", out.loud);
  const auto status = section.finish();
  return status ? "good" : status.error().message;
}

}  // namespace

TEST_CASE("a section reads what is there and leaves what is not", "[yaml]") {
  Read out;

  CHECK(read("words: [a, b]\nloud: false\n", out) == "good");

  CHECK(out.words == std::vector<std::string>{"a", "b"});
  CHECK_FALSE(out.loud);
  CHECK(out.place == "/default");
  CHECK(out.wait_s == 7);
}

TEST_CASE("a section names the place of the first thing wrong and what is allowed", "[yaml]") {
  Read out;

  CHECK(read("words: a\n", out) == "f.yaml:1:8: words: expected a list of short words");
  CHECK(read("words: [longer]\n", out) == "f.yaml:1:8: words: expected a list of short words");
  CHECK(read("words: [a, b, c]\n", out) == "f.yaml:1:8: words: more than 2 entries");
  CHECK(read("loud: maybe\n", out) == "f.yaml:1:7: loud: expected true or false");
  CHECK(read("place: here\n", out) == "f.yaml:1:8: place: expected an absolute path");
  CHECK(read("wait: 2m\n", out) == "f.yaml:1:7: wait: 2m is not between 1 and 60 seconds");
  CHECK(read("wait: 5s\nlout: true\n", out) ==
        "f.yaml:2:1: unknown key \"lout\" in a thing; allowed are place, words, wait, loud");
  CHECK(read("- a\n", out) == "f.yaml:1:1: a thing: expected a mapping");
  CHECK(out.wait_s == 5);
}

TEST_CASE("times and sizes have units", "[config]") {
  CHECK(parse_duration("90").value() == 90);
  CHECK(parse_duration("5m").value() == 300);
  CHECK(parse_duration("7d").value() == 604800);
  CHECK(parse_size("1GiB").value() == 1 << 30);
  CHECK(parse_size("512B").value() == 512);
  const auto bad = GENERATE(as<std::string>{}, "", "m", "1 m", "1.5h", "-1s", "1w",
                            "99999999999999999999", "9007199254740991d");
  CAPTURE(bad);
  CHECK_FALSE(parse_duration(bad));
  CHECK_FALSE(parse_size(bad + "iB"));
}

}  // namespace vouch
