// SPDX-License-Identifier: Apache-2.0
// The protocol as a runner sees it: each requested table gets exactly one answer, and what could
// not be read is never an empty table.
#include <catch2/catch.hpp>

#include "collectors/sdk/context.h"
#include "collectors/sdk/manifest.h"
#include "collectors/sdk/run.h"
#include "collectors/sdk/testing.h"

namespace vouch::sdk {
namespace {

using Collect = std::function<Status(Context&, Rows&)>;

Collector one_table(Collect collect) {
  Collector collector{.name = "sample", .title = "For tests"};
  collector.options = {
      {"limit", OptionType::integer, "Most rows"},
      {"paths", OptionType::texts, "What to read"},
      {"jobs", OptionType::objects, "What to watch", {{"name", "Name", true}, {"timer", "Timer"}}}};
  collector.tables = {{.name = "things",
                       .title = "Things",
                       .columns = {text("name", "Name").key(), bytes("path", "Path"),
                                   integer("size", "Size").nullable("unbounded"),
                                   boolean("on", "On"), time("seen", "Seen")},
                       .collect = std::move(collect)}};
  return collector;
}

Collector counting(Collect collect) {
  Collector collector{.name = "sample", .title = "For tests"};
  collector.tables = {{.name = "rules",
                       .title = "Rules",
                       .columns = {text("user", "User").key(),
                                   bytes("command", "Command").key().redact(Redaction::command),
                                   occurrence(), boolean("on", "On")},
                       .collect = std::move(collect)}};
  return collector;
}

Status nothing(Context&, Rows&) {
  return Ok{};
}

Error refused(const Collector& collector, std::string_view line) {
  const Status status = answer_request(collector, line, [](std::string_view) { return true; });
  REQUIRE_FALSE(status);
  return status.error();
}

}  // namespace

TEST_CASE("rows come out typed, escaped and counted", "[sdk]") {
  const auto collector = one_table([](Context&, Rows& rows) -> Status {
    rows.add({"a\"b", "x\\y\xFF", 12, true, 0});
    rows.add({"c", "", nullptr, false, "2026-11-21T19:30:00Z"});
    rows.add({"d", "", std::int64_t{1} << 53, false, 1});
    return Ok{};
  });

  const auto answer = run_collector(collector, "/");

  CHECK(answer.violation.empty());
  CHECK(answer.raw ==
        "{\"table\":\"things\"}\n"
        "{\"row\":{\"name\":\"a\\\"b\",\"path\":\"x\\\\\\\\y\\\\xff\",\"size\":12,\"on\":true,"
        "\"seen\":\"1970-01-01T00:00:00Z\"}}\n"
        "{\"row\":{\"name\":\"c\",\"path\":\"\",\"on\":false,\"seen\":\"2026-11-21T19:30:00Z\"}}\n"
        "{\"row\":{\"name\":\"d\",\"path\":\"\",\"size\":\"9007199254740992\",\"on\":false,"
        "\"seen\":\"1970-01-01T00:00:01Z\"}}\n"
        "{\"table\":\"gaps\"}\n"
        "{\"end\":{\"errors\":0,\"rows\":{\"things\":3,\"gaps\":0},\"unchanged\":0}}\n");
}

TEST_CASE("what several tables are made from is made once in a run", "[sdk]") {
  int made = 0;
  auto collector = one_table([&](Context& context, Rows& rows) -> Status {
    const auto& names =
        context.once([&] { return std::vector<std::string>{std::to_string(++made)}; });
    rows.add({names.at(0), "", nullptr, false, 0});
    return Ok{};
  });
  collector.tables.push_back(collector.tables[0]);
  collector.tables[1].name = "others";

  const auto first = run_collector(collector, "/");
  const auto second = run_collector(collector, "/");

  CHECK(first.cell("things", "on", "false", "name") == "1");
  CHECK(first.cell("others", "on", "false", "name") == "1");
  CHECK(second.cell("others", "on", "false", "name") == "2");
}

TEST_CASE("a table without rows has a header, a failed one an error and no header", "[sdk]") {
  CHECK(run_collector(one_table(nothing), "/").tables.at("things").empty());

  const auto failed = run_collector(one_table([](Context&, Rows&) -> Status {
                                      return Error{Errc::denied, "open /x: Permission denied"};
                                    }),
                                    "/");

  CHECK(failed.violation.empty());
  CHECK_FALSE(failed.tables.contains("things"));
  CHECK(failed.errors.at("things") == "permission-denied: open /x: Permission denied");
}

TEST_CASE("rows before a failure do not survive it", "[sdk]") {
  const auto answer = run_collector(one_table([](Context&, Rows& rows) -> Status {
                                      rows.add({"a", "", 1, true, 0});
                                      return Error{Errc::invalid, "line 2: cut off"};
                                    }),
                                    "/");

  CHECK(answer.violation.empty());
  CHECK(answer.errors.at("things") == "parse-error: line 2: cut off");
}

TEST_CASE("a cell that contradicts the manifest is an error, not a wrong row", "[sdk]") {
  using Cells = std::vector<Cell>;
  const auto cells = GENERATE(as<Cells>{}, Cells{1, "", 1, true, 0}, Cells{"a", true, 1, true, 0},
                              Cells{"a", "", "1", true, 0}, Cells{"a", "", 1, 1, 0},
                              Cells{"a", "", 1, true, "yesterday"}, Cells{"a", "", 1, true},
                              Cells{"a", "", 1, true, 0, 0}, Cells{nullptr, "", 1, true, 0});

  const auto answer = run_collector(one_table([&](Context&, Rows& rows) -> Status {
                                      rows.add(cells);
                                      return Ok{};
                                    }),
                                    "/");

  CHECK(answer.violation.empty());
  CHECK(answer.errors.contains("things"));
}

TEST_CASE("occurrence counts rows that are equal after redaction", "[sdk]") {
  const auto answer = run_collector(counting([](Context&, Rows& rows) -> Status {
                                      rows.add({"ann", "/bin/x --password=one", true});
                                      rows.add({"ann", "/bin/x --password=two", false});
                                      rows.add({"bob", "/bin/x", true});
                                      return Ok{};
                                    }),
                                    "/");

  CHECK(answer.violation.empty());
  CHECK(answer.cell("rules", "occurrence", "2", "command") == "/bin/x --password=[redacted]");
  CHECK(answer.cell("rules", "user", "bob", "occurrence") == "1");
  CHECK(answer.raw.find("two") == std::string::npos);
}

TEST_CASE("a second row with one key is a gap if it differs, else it is dropped", "[sdk]") {
  const auto answer = run_collector(one_table([](Context&, Rows& rows) -> Status {
                                      rows.add({"a", "x", 1, true, 0});
                                      rows.add({"a", "x", 1, true, 0});
                                      rows.add({"b", "x", 1, true, 0});
                                      rows.add({"b", "y", 1, true, 0});
                                      return Ok{};
                                    }),
                                    "/");

  CHECK(answer.violation.empty());
  CHECK(answer.tables.at("things").size() == 2);
  CHECK(answer.tables.at("gaps").size() == 1);
  CHECK(answer.has_gap("things", "b"));
}

TEST_CASE("a cell over its limit is a gap, and the other rows stand", "[sdk]") {
  const auto answer = run_collector(one_table([](Context&, Rows& rows) -> Status {
                                      rows.add({"a", std::string(65537, 'x'), 1, true, 0});
                                      rows.add({"b", std::string(65536, 'x'), 1, true, 0});
                                      return Ok{};
                                    }),
                                    "/");

  CHECK(answer.violation.empty());
  CHECK(answer.tables.at("things").size() == 1);
  CHECK(answer.tables.at("gaps").size() == 1);
}

TEST_CASE("secrets leave neither in cells nor in messages", "[sdk]") {
  const std::string key = "-----BEGIN OPENSSH PRIVATE KEY-----";
  const auto answer = run_collector(one_table([&](Context& context, Rows& rows) -> Status {
                                      rows.add({key, key, 1, true, 0});
                                      rows.gap("/x" + key, {Errc::invalid, key});
                                      context.log("warn", key);
                                      return Ok{};
                                    }),
                                    "/");

  CHECK(answer.violation.empty());
  CHECK(answer.raw.find("PRIVATE") == std::string::npos);
  CHECK(answer.tables.at("gaps").size() == 1);
}

TEST_CASE("unchanged is answered only for the token of the request", "[sdk]") {
  int emitted = 0;
  const auto collector = one_table([&](Context&, Rows& rows) -> Status {
    if (rows.unchanged("stat:1")) return Ok{};
    ++emitted;
    rows.add({"a", "", 1, true, 0});
    return Ok{};
  });

  const auto first = run_collector(collector, "/");
  const auto second = run_collector(collector, "/", {.tokens = {{"things", "stat:1"}}});
  const auto third = run_collector(collector, "/", {.tokens = {{"things", "stat:0"}}});

  CHECK(first.tokens.at("things") == "stat:1");
  CHECK(second.unchanged == std::vector<std::string>{"things"});
  CHECK(second.tokens.at("things") == "stat:1");
  CHECK(third.tables.at("things").size() == 1);
  CHECK(emitted == 2);
  CHECK((first.violation + second.violation + third.violation).empty());
}

TEST_CASE("a table with gaps gives no token", "[sdk]") {
  const auto answer = run_collector(one_table([](Context&, Rows& rows) -> Status {
                                      if (rows.unchanged("t")) return Ok{};
                                      rows.gap("/home/ann", {Errc::denied, "unreadable"});
                                      return Ok{};
                                    }),
                                    "/");

  CHECK(answer.tokens.empty());
  CHECK(answer.has_gap("things", "/home/ann"));
}

TEST_CASE("more gaps than anyone reads are an error of the table", "[sdk]") {
  const auto answer = run_collector(one_table([](Context&, Rows& rows) -> Status {
                                      for (int i = 0; i < 10001; ++i) {
                                        rows.gap("/" + std::to_string(i), {Errc::denied, "no"});
                                      }
                                      return Ok{};
                                    }),
                                    "/");

  CHECK(answer.violation.empty());
  CHECK(answer.errors.contains("things"));
}

TEST_CASE("a wrong request is refused with the reason", "[sdk]") {
  const auto collector = one_table(nothing);
  const auto bad = GENERATE(
      as<std::pair<std::string, std::string>>{}, std::pair{"", "request"},
      std::pair{"[]", "protocol"}, std::pair{R"({"protocol":2,"tables":[]})", "protocol 2"},
      std::pair{R"({"protocol":1})", "tables"},
      std::pair{R"({"protocol":1,"tables":["nothings"]})", "no table \"nothings\""},
      std::pair{R"({"protocol":1,"tables":["things","things"]})", "twice"},
      std::pair{R"({"protocol":1,"tables":[1]})", "strings"},
      std::pair{R"({"protocol":1,"tables":[],"options":{"limit":"x"}})", "wrong type"},
      std::pair{R"({"protocol":1,"tables":[],"options":{"paths":[1]}})", "wrong type"},
      std::pair{R"({"protocol":1,"tables":[],"options":{"jobs":[{}]}})", "wrong type"},
      std::pair{R"({"protocol":1,"tables":[],"options":{"jobs":[{"name":1}]}})", "wrong type"},
      std::pair{R"({"protocol":1,"tables":[],"options":{"jobs":[{"name":"a","x":"b"}]}})",
                "wrong type"},
      std::pair{R"({"protocol":1,"tables":[],"options":{"lmit":1}})", "no option"},
      std::pair{R"({"protocol":1,"tables":[],"root":"etc"})", "absolute"},
      std::pair{R"({"protocol":1,"tables":[],"deadline_ms":0})", "deadline_ms"},
      std::pair{R"({"protocol":1,"tables":[],"cache":{"things":"t"}})", "cache"});
  CAPTURE(bad.first);

  const Error error = refused(collector, bad.first);

  CHECK(error.code == Errc::invalid);
  CHECK_THAT(error.message, Catch::Contains(bad.second));
}

TEST_CASE("unknown members of a request are ignored", "[sdk]") {
  CHECK(answer_request(one_table(nothing), R"({"protocol":1,"tables":[],"colour":"red"})",
                       [](std::string_view) { return true; }));
}

TEST_CASE("a root that is not there makes every table an error", "[sdk]") {
  const auto answer = run_collector(one_table(nothing), "/nonexistent-root");

  CHECK(answer.violation.empty());
  CHECK_THAT(answer.errors.at("things"), Catch::StartsWith("not-found"));
}

TEST_CASE("a runner that went away ends the run as a failure", "[sdk]") {
  const Status status = answer_request(one_table(nothing), R"({"protocol":1,"tables":["things"]})",
                                       [](std::string_view) { return false; });

  REQUIRE_FALSE(status);
  CHECK(status.error().code == Errc::unavailable);
}

TEST_CASE("the manifest says what the protocol asks for", "[sdk]") {
  const auto parsed = json::parse(describe(counting(nothing)));

  REQUIRE(parsed);
  const json::Array& tables = *parsed->find("tables")->if_array();
  const json::Array key = {"user", "command", "occurrence"};
  CHECK(*tables[0].find("key")->if_array() == key);
  const json::Array& columns = *tables[0].find("columns")->if_array();
  CHECK(*columns[1].find("redact")->if_string() == "command");
  CHECK(columns[0].find("nullable") == nullptr);
  const auto other = json::parse(describe(one_table(nothing)));
  const json::Array& cells = *other->find("tables")->if_array()->at(0).find("columns")->if_array();
  CHECK(*cells[2].find("null")->if_string() == "unbounded");
  CHECK(*other->find("options")->find("properties")->find("limit")->find("type")->if_string() ==
        "integer");
}

TEST_CASE("an option may be a list of objects", "[sdk]") {
  std::string seen;
  const auto collector = one_table([&](Context& context, Rows&) -> Status {
    for (const json::Value* job : context.objects_option("jobs")) {
      seen += *json::get_string(*job, "name") + ";";
    }
    return Ok{};
  });
  json::Array jobs = {json::Object{{"name", "a"}}, json::Object{{"name", "b"}, {"timer", "t"}}};

  const auto answer = run_collector(collector, "/", {.options = {{"jobs", std::move(jobs)}}});

  CHECK(answer.violation.empty());
  CHECK(seen == "a;b;");
  CHECK_THAT(describe(collector), Catch::Contains(R"("required":["name"])"));
}

}  // namespace vouch::sdk
