// SPDX-License-Identifier: Apache-2.0
#include "collectors/sdk/declared.h"

#include <catch2/catch.hpp>

#include "collectors/sdk/testing.h"

namespace vouch::sdk {
namespace {

struct Read {
  DeclaredTable table;
  std::string error;
};

Read read(const std::string& text) {
  const auto node = yaml::parse(text, "site.yaml");
  REQUIRE(node);
  Read out;
  YamlSection section(*node, "site.yaml", "a table");
  take_table(section, "site.yaml", out.table);
  const auto status = section.finish();
  if (!status) out.error = status.error().message;
  return out;
}

DeclaredColumn column(Type type, const std::string& null_means = "") {
  DeclaredColumn out;
  out.name = "c";
  out.type = type;
  out.null_means = null_means;
  return out;
}

// The value as text; "!" for an error.
std::string shown(const Result<Value>& value) {
  if (!value) return "!";
  if (const auto* text = std::get_if<std::string>(&*value)) return *text;
  if (const auto* number = std::get_if<std::int64_t>(&*value)) return std::to_string(*number);
  if (const auto* flag = std::get_if<bool>(&*value)) return *flag ? "true" : "false";
  return "null";
}

std::string from_json(const DeclaredColumn& c, const char* text) {
  const auto value = json::parse_foreign(text).value();
  return shown(value_of(c, &value));
}

}  // namespace

TEST_CASE("a table is declared by its columns", "[declared]") {
  const auto got = read(
      "table: pools\ntitle: Pools of disks\nvolatile: true\ncolumns:\n"
      "  - { name: name, type: text, key: true }\n"
      "  - { name: size, type: integer, title: Bytes, null_means: not known, from: /s }\n"
      "  - { name: owner, personal: true, redact: url }\n");

  CHECK(got.error.empty());
  CHECK(got.table.name == "pools");
  CHECK(got.table.is_volatile);
  REQUIRE(got.table.columns.size() == 3);
  CHECK(got.table.columns[0].is_key);
  CHECK(got.table.columns[0].title == "name");
  CHECK(got.table.columns[1].null_means == "not known");
  CHECK(got.table.columns[1].from == "/s");
  CHECK(got.table.columns[2].is_personal);
  CHECK(got.table.columns[2].redaction == Redaction::url);
}

TEST_CASE("a declaration that cannot be is refused with its place", "[declared]") {
  const auto [columns, message] = GENERATE(table<std::string, std::string>({
      {"[{ name: a }]", "key: true"},
      {"[]", "a list of columns"},
      {"[{ key: true }]", "needs a name"},
      {"[{ name: A, key: true }]", "a-z"},
      {"[{ name: a, key: true }, { name: a }]", "twice"},
      {"[{ name: a, key: true, null_means: none }]", "never null"},
      {"[{ name: a, key: true, type: float }]", "integer, boolean or time"},
      {"[{ name: a, key: true, type: integer, redact: url }]", "text and bytes"},
      {"[{ name: occurrence, key: true }]", "taken"},
      {"[{ name: a, key: true, nul: x }]", "unknown key \"nul\""},
  }));
  CAPTURE(columns);

  const auto got = read("table: t\ncolumns: " + columns + "\n");

  CHECK_THAT(got.error, Catch::StartsWith("site.yaml:2:"));
  CHECK_THAT(got.error, Catch::Contains(message));
}

TEST_CASE("values of JSON become cells of the declared type or an error", "[declared]") {
  CHECK(from_json(column(Type::text), R"("x")") == "x");
  CHECK(from_json(column(Type::text), "12") == "12");
  CHECK(from_json(column(Type::text), "true") == "true");
  CHECK(from_json(column(Type::text), R"({"b":1,"a":[2]})") == R"({"a":[2],"b":1})");
  CHECK(from_json(column(Type::integer), "12") == "12");
  CHECK(from_json(column(Type::integer), "9223372036854775807") == "9223372036854775807");
  CHECK(from_json(column(Type::integer), "1.5") == "!");
  CHECK(from_json(column(Type::integer), "true") == "!");
  CHECK(from_json(column(Type::integer), "[1]") == "!");
  CHECK(from_json(column(Type::boolean), "false") == "false");
  CHECK(from_json(column(Type::boolean), "1") == "!");
  CHECK(from_json(column(Type::time), R"("2026-11-21T19:30:00.250+01:00")") == "1795285800");
  CHECK(from_json(column(Type::time), "1795285800") == "1795285800");
  CHECK(from_json(column(Type::time), R"("yesterday")") == "!");
  CHECK(from_json(column(Type::text), "null") == "!");
  CHECK(from_json(column(Type::text, "none"), "null") == "null");
  CHECK(shown(value_of(column(Type::text), nullptr)) == "!");
  CHECK(shown(value_of(column(Type::text, "none"), nullptr)) == "null");
}

TEST_CASE("fields of a line become cells of the declared type or an error", "[declared]") {
  CHECK(shown(value_of_text(column(Type::text), "")).empty());
  CHECK(shown(value_of_text(column(Type::text, "none"), "")) == "null");
  CHECK(shown(value_of_text(column(Type::integer), "")) == "!");
  CHECK(shown(value_of_text(column(Type::integer), "-7")) == "-7");
  CHECK(shown(value_of_text(column(Type::integer), "7 ")) == "!");
  CHECK(shown(value_of_text(column(Type::integer), "9223372036854775808")) == "!");
  CHECK(shown(value_of_text(column(Type::text), "\xff")) == "!");
  CHECK(shown(value_of_text(column(Type::bytes), "\xff")) == "\xff");
}

TEST_CASE("times of RFC 3339 are read with fraction and offset", "[declared]") {
  CHECK(parse_rfc3339("1970-01-01T00:00:00Z").value() == 0);
  CHECK(parse_rfc3339("1970-01-01T02:00:00.5+02:00").value() == 0);
  CHECK(parse_rfc3339("1970-01-01T00:00:00-00:30").value() == 1800);
  for (const auto* bad :
       {"1970-01-01T00:00:00", "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00+2:00",
        "1970-01-01T00:00:00+24:00", "1970-02-30T00:00:00Z", ""}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_rfc3339(bad));
  }
}

TEST_CASE("an error about a value never says the value", "[declared]") {
  const json::Value secret("hunter2");
  const auto got = value_of(column(Type::integer), &secret);

  REQUIRE_FALSE(got);
  CHECK(got.error().message.find("hunter2") == std::string::npos);
}

TEST_CASE("tables of the options are in the manifest and answer", "[declared]") {
  auto declared = std::make_shared<DeclaredTable>(
      read("table: t\ncolumns: [{ name: a, type: integer, key: true }]\n").table);
  Collector collector{.name = "c",
                      .title = "C",
                      .options = {{"file", OptionType::text, "File"}},
                      .tables = {{.name = "fixed",
                                  .title = "F",
                                  .columns = {text("x", "X").key()},
                                  .collect = [](Context&, Rows&) -> Status { return Ok{}; }}}};
  collector.configure = [&](const Collector& self, const json::Object& options) {
    Result<Collector> out = self;
    if (!options.contains("file")) return out;
    const auto added = add_table(*out, make_table(declared, [](Context&, Rows& rows) -> Status {
      add_row(rows, {std::int64_t{5}});
      return Ok{};
    }));
    if (!added) out = added.error();
    return out;
  };
  const TestTree tree;

  const auto answer =
      run_collector(collector, tree.path(), {.tables = {"t", "fixed"}, .options = {{"file", "x"}}});

  CHECK(answer.violation.empty());
  CHECK(answer.cell("t", "a", "5", "a") == "5");
  CHECK_THAT(describe(collector), Catch::Contains(R"("configured_tables":true)"));
  CHECK_FALSE(add_table(*std::make_unique<Collector>(collector),
                        Table{.name = "fixed", .title = "", .columns = {}}));
}

}  // namespace vouch::sdk
