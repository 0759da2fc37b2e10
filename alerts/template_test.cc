// SPDX-License-Identifier: Apache-2.0
#include "alerts/template.h"

#include <catch2/catch.hpp>
#include <map>

namespace vouch::alerts {
namespace {

std::string render(const std::string& text, std::map<std::string, std::string> values) {
  const auto parsed = Template::parse(text, TemplateKind::condition);
  if (!parsed) return parsed.error().message;
  return parsed->render([&](std::string_view name) { return values[std::string(name)]; });
}

}  // namespace

TEST_CASE("names are replaced, and a value is never read as a template", "[alerts]") {
  CHECK(render("{title} on {label.host}!", {{"title", "{value} {{"}, {"label.host", "web-01"}}) ==
        "{value} {{ on web-01!");
  CHECK(render("{{\"a\": {kind}}}", {{"kind", "x"}}) == "{\"a\": x}");
}

TEST_CASE("a line whose names are all empty is left out, one without names stays", "[alerts]") {
  CHECK(render("A\nFound: {value}\n\nB {kind}{value}", {{"kind", "k"}}) == "A\n\nB k");
  CHECK(render("{value}\n{kind}", {}).empty());
}

TEST_CASE("what is no template is told by what is wrong", "[alerts]") {
  CHECK(render("a {titel}", {}).find("no {titel}; there is status, severity, ") == 0);
  CHECK(render("a {title", {}) == "the brace at byte 2 is not closed");
  CHECK(render("a } b", {}) == "the brace at byte 2 closes nothing; write }}");
  CHECK(render("{label.A}", {}).find("no {label.A}") == 0);
  CHECK(render(std::string(5000, 'a'), {}) == "over 4096 bytes");
  CHECK_FALSE(Template::parse("{value}", TemplateKind::subject));
  CHECK(Template::parse("{n} {count}", TemplateKind::subject));
}

}  // namespace vouch::alerts
