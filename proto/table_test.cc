// SPDX-License-Identifier: Apache-2.0
#include "proto/table.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "core/digest.h"
#include "proto/limits.h"

using namespace vouch;

namespace {

Column column(std::string_view name, ColumnType type, std::string_view null_means = {}) {
  Column result;
  result.name = name;
  result.type = type;
  result.nullable = !null_means.empty();
  result.null_means = null_means;
  return result;
}

TableSchema users() {
  TableSchema schema;
  schema.name = "users";
  schema.key = {"username"};
  schema.columns = {column("username", ColumnType::text), column("uid", ColumnType::integer),
                    column("login_shell", ColumnType::boolean),
                    column("expires", ColumnType::time, "never")};
  return schema;
}

// The published example.
const std::string kBlob =
    "{\"expires\":\"2026-12-31T00:00:00Z\",\"login_shell\":true,\"uid\":1000,\"username\":\"zoë\"}"
    "\n"
    "{\"expires\":null,\"login_shell\":false,\"uid\":\"9007199254740993\",\"username\":\"big\"}\n"
    "{\"expires\":null,\"login_shell\":true,\"uid\":0,\"username\":\"root\"}\n";

json::Value row(std::string_view text) {
  auto value = json::parse(text);
  REQUIRE(value);
  return *std::move(value);
}

RowFault fault_of(std::string_view text) {
  TableBuilder builder(users());
  const auto error = builder.try_add(row(text));
  REQUIRE(error);
  CHECK(builder.rows() == 0);
  return error->fault;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("rows in any order make the published table blob", "[table]") {
  std::vector<json::Value> rows = {
      row(R"({"username":"root","uid":0,"login_shell":true})"),
      row(R"({"login_shell":false,"uid":"9007199254740993","username":"big","expires":null})"),
      row(R"({"username":"zoë","uid":1000,"login_shell":true,"expires":"2026-12-31T00:00:00Z"})")};
  do {
    const auto blob = make_table(users(), rows);
    REQUIRE(blob);
    CHECK(blob->bytes == kBlob);
    CHECK(blob->rows == 3);
    CHECK(blob->sha256 == "22a210dd7ddc2093b313e95e2a4d605d32b8c40ec2b12b491a478dd6275669ae");
    std::rotate(rows.begin(), rows.begin() + 1, rows.end());
  } while (json::write(rows.front()).find("root") == std::string::npos);
}

TEST_CASE("the table without rows is the empty blob", "[table]") {
  const auto blob = make_table(users(), {});

  REQUIRE(blob);
  CHECK(blob->bytes.empty());
  CHECK(blob->sha256 == kEmptyDigestHex);
  CHECK(*check_table(users(), "") == 0);
  CHECK(*check_table_form("") == 0);
}

TEST_CASE("a row that does not fit the schema is not taken", "[table]") {
  CHECK(fault_of(R"({"username":"a","uid":0,"login_shell":true,"x":1})") == RowFault::undeclared);
  CHECK(fault_of(R"({"username":"a","uid":0})") == RowFault::wrong_type);
  CHECK(fault_of(R"({"username":null,"uid":0,"login_shell":true})") == RowFault::wrong_type);
  CHECK(fault_of(R"({"username":1,"uid":0,"login_shell":true})") == RowFault::wrong_type);
  CHECK(fault_of(R"({"username":"a","uid":"0","login_shell":true})") == RowFault::wrong_type);
  CHECK(fault_of(R"({"username":"a","uid":"9223372036854775808","login_shell":true})") ==
        RowFault::wrong_type);
  CHECK(fault_of(R"({"username":"a","uid":"+9007199254740993","login_shell":true})") ==
        RowFault::wrong_type);
  CHECK(fault_of(R"({"username":"a","uid":true,"login_shell":true})") == RowFault::wrong_type);
  CHECK(fault_of(R"({"username":"a","uid":1,"login_shell":1})") == RowFault::wrong_type);
  CHECK(fault_of(R"({"username":"a","uid":1,"login_shell":true,"expires":"2026-12-31"})") ==
        RowFault::wrong_type);
  CHECK(fault_of(R"({"username":["a"],"uid":1,"login_shell":true})") == RowFault::wrong_type);
  CHECK(fault_of(R"(["a"])") == RowFault::wrong_type);
}

TEST_CASE("two rows with one key are refused, and the first stays", "[table]") {
  TableBuilder builder(users());
  REQUIRE(builder.add(row(R"({"username":"a","uid":1,"login_shell":true})")));

  const auto error = builder.try_add(row(R"({"username":"a","uid":2,"login_shell":true})"));

  REQUIRE(error);
  CHECK(error->fault == RowFault::duplicate_key);
  CHECK(builder.finish().rows == 1);
}

TEST_CASE("a cell over 64 KiB and a table over 64 MiB are too large, never cut", "[table]") {
  TableBuilder builder(users());
  const auto big = [](std::string name) {
    return json::Object{{"username", std::move(name)}, {"uid", 1}, {"login_shell", true}};
  };
  CHECK_FALSE(builder.try_add(big(std::string(kCellBytesMax, 'a'))));
  const auto cell = builder.try_add(big(std::string(kCellBytesMax + 1, 'a')));
  REQUIRE(cell);
  CHECK(cell->fault == RowFault::too_large);

  std::unique_ptr<RowError> error;
  for (int i = 0; i < 1025 && !error; ++i) {
    error = builder.try_add(big(std::string(kCellBytesMax - 8, 'b') + std::to_string(i)));
  }
  REQUIRE(error);
  CHECK(error->fault == RowFault::too_large);
  CHECK(builder.bytes() <= kBlobBytesMax);
}

TEST_CASE("secrets are gone before a row is hashed", "[table]") {
  auto schema = users();
  schema.columns.push_back(column("command", ColumnType::bytes));
  schema.columns.back().redact = Redaction::command;
  const auto blob =
      make_table(schema, {row(R"({"username":"$6$salt$hash","uid":1,"login_shell":true,)"
                              R"("command":"curl --password=hunter2 http://u:p@h/?k=v"})")});

  REQUIRE(blob);
  for (const auto* secret : {"hunter2", "$6$", "u:p", "k=v"}) {
    CHECK(blob->bytes.find(secret) == std::string::npos);
  }
  CHECK_THAT(blob->bytes, Catch::Contains("[redacted]"));
  CHECK(check_table(schema, blob->bytes));
}

TEST_CASE("the published blob passes both checks", "[table]") {
  CHECK(*check_table_form(kBlob) == 3);
  CHECK(*check_table(users(), kBlob) == 3);
}

TEST_CASE("a blob that is not of the form is refused with its line", "[table]") {
  const std::string a = "{\"a\":1,\"b\":null}\n";
  const std::string b = "{\"a\":2,\"b\":null}\n";
  const auto bad = GENERATE_COPY(
      as<std::string>{}, a.substr(0, a.size() - 1), b + a, a + a, replaced(a, "\n", "\r\n"),
      a + "\n", "\n", "[]\n", "{}\n", "1\n", "{\"b\":1,\"a\":2}\n", "{\"a\": 1}\n", "{\"a\":1.0}\n",
      "{\"a\":{}}\n", "{\"a\":[1]}\n", "{\"A\":1}\n", "{\"a\":1,\"a\":2}\n", "\xef\xbb\xbf" + a,
      "{\"a\":\"\\u0000\"}\n", "{\"a\":\"\\u0041\"}\n", "{\"a\":\"\xff\"}\n", a + "{\"a\":2}\n",
      a + "{\"a\":2,\"c\":1}\n", " " + a);
  CAPTURE(bad);
  const auto rows = check_table_form(bad);

  REQUIRE_FALSE(rows);
  CHECK(rows.error().code == Errc::invalid);
  CHECK_THAT(rows.error().message, Catch::Contains("line "));
}

TEST_CASE("a blob that does not fit its schema is refused", "[table]") {
  const auto bad =
      GENERATE_COPY(as<std::string>{}, replaced(kBlob, "\"uid\":1000,", ""),
                    replaced(kBlob, "\"uid\":1000,", "\"uid\":1000,\"ujd\":1,"),
                    replaced(kBlob, "\"uid\":1000", "\"uid\":\"1000\""),
                    replaced(kBlob, "\"uid\":1000", "\"uid\":null"),
                    replaced(kBlob, "\"login_shell\":false", "\"login_shell\":0"),
                    replaced(kBlob, "2026-12-31T00:00:00Z", "2026-12-31T00:00:00.000Z"),
                    replaced(kBlob, "2026-12-31T00:00:00Z", "2026-12-32T00:00:00Z"),
                    replaced(kBlob, "\"big\"", "\"root\""));
  CAPTURE(bad);

  CHECK_FALSE(check_table(users(), bad));
  CHECK_FALSE(check_table(users(), bad + "x"));
}

TEST_CASE("rows can be read one after the other, until the reader has enough", "[table]") {
  std::vector<std::string> names;
  const auto done = for_each_row(kBlob, [&](const json::Value& value) -> Status {
    names.push_back(*value.find("username")->if_string());
    if (names.size() == 2) return Error{Errc::other, "enough"};
    return Ok{};
  });

  CHECK_FALSE(done);
  CHECK(names == std::vector<std::string>{"zoë", "big"});
}

TEST_CASE("a schema without sense is refused", "[table]") {
  REQUIRE(check_schema(users()));
  REQUIRE(check_schema(gaps_schema()));
  auto schema = users();

  SECTION("no key") {
    schema.key.clear();
  }
  SECTION("a key that is no column") {
    schema.key = {"uud"};
  }
  SECTION("a key twice") {
    schema.key = {"uid", "uid"};
  }
  SECTION("a nullable key") {
    schema.key = {"expires"};
  }
  SECTION("a column twice") {
    schema.columns.push_back(schema.columns.front());
  }
  SECTION("null without meaning") {
    schema.columns[3].null_means.clear();
  }
  SECTION("a meaning without null") {
    schema.columns[0].null_means = "never";
  }
  SECTION("a redacted number") {
    schema.columns[1].redact = Redaction::url;
  }
  SECTION("a bad name") {
    schema.name = "Users";
  }
  SECTION("a bad column") {
    schema.columns[0].name = "user-name";
  }
  SECTION("no columns") {
    schema.columns.clear();
  }
  SECTION("129 columns") {
    while (schema.columns.size() < 129) {
      schema.columns.push_back(
          column("c" + std::to_string(schema.columns.size()), ColumnType::text));
    }
  }
  CHECK_FALSE(check_schema(schema));
}

TEST_CASE("any bytes have exactly one spelling as a cell", "[table]") {
  CHECK(encode_bytes_cell("plain zoë") == "plain zoë");
  CHECK(encode_bytes_cell("a\\b") == "a\\\\b");
  CHECK(encode_bytes_cell(std::string_view("\0\n\x7f\xff", 4)) == "\\x00\\x0a\\x7f\\xff");
  CHECK(encode_bytes_cell("\xc2\x80\xc2\x9f\xc2\xa0") == "\\xc2\\x80\\xc2\\x9f\xc2\xa0");
  CHECK(encode_bytes_cell("\xed\xa0\x80") == "\\xed\\xa0\\x80");
  CHECK(encode_bytes_cell("\xe2\x82") == "\\xe2\\x82");

  const auto good = GENERATE(as<std::string>{}, "", "a", "\\\\", "\\xff", "zoë", "\\xc2x");
  CAPTURE(good);
  CHECK(is_bytes_cell(good));
}

TEST_CASE("another spelling of the same bytes is no cell", "[table]") {
  const auto bad = GENERATE(as<std::string>{}, "\\", "\\n", "\\x4", "\\x41", "\\xFF", "\\xc3\\xab",
                            "\n", "\x7f", "\xff", "\xc2\x85", "a\\");
  CAPTURE(bad);
  CHECK_FALSE(is_bytes_cell(bad));
}

TEST_CASE("integers are numbers up to 2^53-1 and strings beyond, up to int64", "[table]") {
  CHECK(integer_cell(json::kIntegerMax) == json::Value(json::kIntegerMax));
  CHECK(integer_cell(json::kIntegerMax + 1) == json::Value("9007199254740992"));
  CHECK(integer_cell(INT64_MIN) == json::Value("-9223372036854775808"));
  CHECK(*parse_integer_cell("-9223372036854775808") == INT64_MIN);
  const auto bad = GENERATE(as<std::string>{}, "", "1", "-1", "9007199254740991", "-0",
                            "09007199254740993", "9007199254740993 ", "9223372036854775808");
  CAPTURE(bad);
  CHECK_FALSE(parse_integer_cell(bad));
}
