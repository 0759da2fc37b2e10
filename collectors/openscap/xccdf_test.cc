// SPDX-License-Identifier: Apache-2.0
#include "collectors/openscap/xccdf.h"

#include <catch2/catch.hpp>

namespace vouch::openscap {
namespace {

using Catch::Contains;

constexpr const char* kNamespace = "xmlns=\"http://checklists.nist.gov/xccdf/1.2\"";

Result<TestResult> read(std::string_view text, std::size_t piece = 7) {
  XccdfReader reader;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    if (auto fed = reader.feed(text.substr(at, piece)); !fed) return fed.error();
  }
  return reader.finish();
}

// What oscap leaves: the benchmark, and the result of a test in it.
std::string file(const std::string& results, const std::string& rules = "") {
  return std::string(
             "<?xml version=\"1.0\"?>\n<x:Benchmark xmlns:x=\"http://checklists.nist.gov/"
             "xccdf/1.2\" id=\"b1\"><x:title>Guide</x:title><x:Group id=\"g\"><x:title>G"
             "</x:title>") +
         rules + "</x:Group><TestResult " + kNamespace +
         " id=\"t\" start-time=\"2026-11-27T15:57:51+00:00\" "
         "end-time=\"2026-11-27T15:57:52+00:00\" "
         "version=\"0.1\" test-system=\"cpe:/a:x\"><benchmark href=\"#x\" "
         "id=\"b2\"/><title>T</title>"
         "<profile idref=\"p\"/>" +
         results +
         "<score system=\"urn:xccdf:scoring:flat\">1</score><score system=\"urn:xccdf:scoring:"
         "default\" maximum=\"100\">52.5</score></TestResult></x:Benchmark>";
}

constexpr const char* kRules =
    "<x:Rule id=\"r1\" severity=\"high\"><x:fix><x:title>no</x:title></x:fix><x:title>Set\n  "
    "<b>the</b> &lt;mode&gt;</x:title>"
    "<x:title xml:lang=\"de\">Modus</x:title><x:ident system=\"cce\">CCE-2</x:ident>"
    "</x:Rule>";

}  // namespace

TEST_CASE("the result of a test is read with its rules", "[xccdf]") {
  const auto test = read(file(
      "<rule-result idref=\"r1\" severity=\"low\"><result> pass </result><ident system=\"cce\">"
      "CCE-1</ident><check><result>x</result></check></rule-result>"
      "<rule-result idref=\"r1\"><result>fail</result></rule-result>"
      "<rule-result idref=\"r3\"><result>notselected</result></rule-result>",
      kRules));

  REQUIRE(test);
  CHECK(test->benchmark == "b2");
  CHECK(test->benchmark_version == "0.1");
  CHECK(test->profile == "p");
  CHECK(test->scanner == "cpe:/a:x");
  CHECK(test->started == "2026-11-27T15:57:51+00:00");
  CHECK(test->finished == "2026-11-27T15:57:52+00:00");
  CHECK(test->score == "52.5");
  REQUIRE(test->rules.size() == 3);
  CHECK(test->rules[0].result == "pass");
  CHECK(test->rules[0].severity == "low");
  CHECK(test->rules[0].title == "Set the <mode>");
  CHECK(test->rules[0].identifiers == std::vector<std::string>{"CCE-1", "CCE-2"});
  CHECK(test->rules[1].severity == "high");
  CHECK(test->rules[2].title.empty());
  CHECK(test->rules[2].identifiers.empty());
}

TEST_CASE("a result alone is read, of version 1.1 too", "[xccdf]") {
  const auto test = read(
      "<TestResult xmlns=\"http://checklists.nist.gov/xccdf/1.1\"><rule-result idref=\"r\">"
      "<result>fail</result></rule-result></TestResult>");

  REQUIRE(test);
  CHECK(test->rules.at(0).result == "fail");
}

TEST_CASE("a file that is not one result of a test is refused", "[xccdf]") {
  const std::string good =
      std::string("<TestResult ") + kNamespace +
      "><rule-result idref=\"r\"><result>pass</result></rule-result></TestResult>";
  const auto [text, message] = GENERATE_COPY(table<std::string, std::string>({
      {"", "ends too early"},
      {"no XML", "line 1: syntax error"},
      {good.substr(0, good.size() - 4), "ends too early"},
      {good + "x", "line 1"},
      {"<a>" + good + good + "</a>", "several results"},
      {"<a/>", "no result of a test"},
      {"<TestResult><rule-result idref=\"r\"><result>pass</result></rule-result></TestResult>",
       "no result of a test"},
      {file("<rule-result idref=\"r\"></rule-result>"), "a rule has no result"},
      {file("<rule-result><result>pass</result></rule-result>"), "names no rule"},
      {file("<rule-result idref=\"r\"><result>" + std::string(70'000, 'x') +
            "</result></rule-result>"),
       "a text over 64 KiB"},
      {[] {
         std::string deep;
         for (int i = 0; i < 300; ++i) deep += "<a>";
         return deep;
       }(),
       "nested over 200"},
  }));
  CAPTURE(text.substr(0, 100));

  const auto test = read(text, 1000);

  REQUIRE_FALSE(test);
  CHECK_THAT(test.error().message, Contains(message));
}

TEST_CASE("no entity of a document is expanded, inside or outside", "[xccdf]") {
  const std::string body =
      std::string("<TestResult ") + kNamespace +
      "><rule-result idref=\"r\"><result>&e;</result></rule-result></TestResult>";
  for (const std::string type : {"<!DOCTYPE a [<!ENTITY e \"pass\">]>",
                                 "<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>"}) {
    const auto test = read(type + body);
    REQUIRE_FALSE(test);
    CHECK_THAT(test.error().message, Contains("document type"));
  }
  CHECK_FALSE(read(body));
}

}  // namespace vouch::openscap
