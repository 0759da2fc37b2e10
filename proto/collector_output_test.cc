// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "core/digest.h"
#include "proto/collector_protocol.h"
#include "proto/limits.h"

using namespace vouch;

namespace {

constexpr auto kManifest = R"({"protocol":1,"name":"access_review","version":"1.4.0","title":"t",
  "interval_s":3600,"deadline_s":30,"options":{},"needs":{"network":false,"cache_dir":false},
  "tables":[
   {"name":"users","title":"u","key":["username"],"volatile":false,"needs":{"capabilities":[]},
    "columns":[{"name":"username","type":"text","title":""},
     {"name":"uid","type":"integer","title":""},
     {"name":"home","type":"bytes","title":"","nullable":true,"null":"none"}]},
   {"name":"groups","title":"g","key":["gid"],"volatile":true,
    "needs":{"capabilities":["CAP_DAC_READ_SEARCH"]},
    "columns":[{"name":"gid","type":"integer","title":""}]}]})";

RunRequest request() {
  RunRequest result;
  result.run = "access_review/4821";
  result.tables = {"users", "groups", "gaps"};
  result.deadline_ms = 30000;
  result.cache = {{"groups", "t0"}};
  return result;
}

std::variant<Snapshot, RunViolation> parse(std::string_view output, std::size_t step = SIZE_MAX) {
  OutputParser parser(*parse_manifest(kManifest), request());
  while (!output.empty()) {
    const auto piece = output.substr(0, step);
    output.remove_prefix(piece.size());
    if (!parser.feed(piece)) break;
  }
  return parser.finish();
}

std::string violation(std::string_view output) {
  const auto result = parse(output);
  const auto* found = std::get_if<RunViolation>(&result);
  return found ? std::string(to_string(found->reason)) : "none";
}

const std::string kUsers = "{\"table\":\"users\"}\n";
const std::string kRoot = "{\"row\":{\"username\":\"root\",\"uid\":0}}\n";
const std::string kRest = "{\"table\":\"gaps\"}\n{\"unchanged\":{\"table\":\"groups\"}}\n";
const std::string kEnd =
    "{\"end\":{\"rows\":{\"users\":1,\"gaps\":0},\"unchanged\":1,\"errors\":0}}\n";
const std::string kGood = kUsers + kRoot + kRest + kEnd;

}  // namespace

TEST_CASE("a good output is a snapshot, in pieces of any size", "[collector]") {
  const auto step = GENERATE(as<std::size_t>{}, 1, 7, 1000);
  const auto result = parse(kGood, step);

  REQUIRE(std::holds_alternative<Snapshot>(result));
  const auto& snapshot = std::get<Snapshot>(result);
  REQUIRE(snapshot.tables.size() == 3);
  CHECK(snapshot.find("users")->blob.bytes == "{\"home\":null,\"uid\":0,\"username\":\"root\"}\n");
  CHECK(snapshot.find("users")->blob.sha256 == sha256_hex(snapshot.find("users")->blob.bytes));
  CHECK(snapshot.find("groups")->kind == TableAnswer::Kind::unchanged);
  CHECK(snapshot.find("gaps")->blob.sha256 == kEmptyDigestHex);
}

TEST_CASE("an error discards the rows of its table and leaves the others", "[collector]") {
  const auto error = GENERATE(as<std::string>{}, kUsers + kRoot, kUsers, "");
  const auto result = parse(
      error + "{\"error\":{\"table\":\"users\",\"code\":\"timeout\",\"message\":\"slow\"}}\n" +
      kRest + "{\"end\":{\"rows\":{\"gaps\":0},\"unchanged\":1,\"errors\":1}}\n");

  REQUIRE(std::holds_alternative<Snapshot>(result));
  const auto* users = std::get<Snapshot>(result).find("users");
  CHECK(users->kind == TableAnswer::Kind::error);
  CHECK(users->error_code == "timeout");
  CHECK(users->blob.bytes.empty());
}

TEST_CASE("each violation has its reason", "[collector]") {
  const auto gap = [](std::string_view table, std::string_view code) {
    return "{\"row\":{\"table_name\":\"" + std::string(table) + "\",\"object\":\"o\",\"code\":\"" +
           std::string(code) + "\",\"message\":\"m\"}}\n";
  };
  const auto row = [](std::string_view cells) {
    return kUsers + "{\"row\":{\"username\":\"x\"," + std::string(cells) + "}}\n";
  };
  const auto [output, reason] = GENERATE_COPY(table<std::string, std::string>({
      {"", "no-end"},
      {kUsers + kRoot + kRest, "no-end"},
      {kGood.substr(0, kGood.size() - 1), "no-end"},
      {kGood + "\n", "after-end"},
      {kGood + "x", "after-end"},
      {kUsers + kRest + kEnd, "count-mismatch"},
      {kUsers + kRoot + kRest + "{\"end\":{\"rows\":{\"users\":1},\"unchanged\":1,\"errors\":0}}\n",
       "count-mismatch"},
      {kUsers + kRoot + kRest +
           "{\"end\":{\"rows\":{\"users\":1,\"gaps\":0,\"groups\":0},\"unchanged\":1,\"errors\":0}}"
           "\n",
       "count-mismatch"},
      {kUsers + kRoot + kRest +
           "{\"end\":{\"rows\":{\"users\":1,\"gaps\":0},\"unchanged\":0,\"errors\":0}}\n",
       "count-mismatch"},
      {kUsers + kRoot + kRest +
           "{\"end\":{\"rows\":{\"users\":1,\"gaps\":0},\"unchanged\":1,\"errors\":1}}\n",
       "count-mismatch"},
      {kUsers + kRoot + "{\"table\":\"gaps\"}\n" + kEnd, "missing-table"},
      {"{\"table\":\"shadow\"}\n", "undeclared"},
      {row("\"uid\":1,\"shell\":\"x\""), "undeclared"},
      {"{\"table\":\"gaps\"}\n" + gap("shadow", "other"), "undeclared"},
      {"{\"error\":{\"table\":\"x\",\"code\":\"other\",\"message\":\"\"}}\n", "undeclared"},
      {row("\"uid\":\"1\""), "wrong-type"},
      {row("\"uid\":1.5"), "wrong-type"},
      {row("\"uid\":1e3"), "wrong-type"},
      {row("\"uid\":-0"), "wrong-type"},
      {row("\"uid\":9007199254740992"), "wrong-type"},
      {row("\"uid\":\"9223372036854775808\""), "wrong-type"},
      {row("\"uid\":null"), "wrong-type"},
      {row("\"uid\":1,\"home\":\"\\\\n\""), "wrong-type"},
      {"{\"table\":\"gaps\"}\n" + gap("users", "sad"), "wrong-type"},
      {kUsers + kRoot + kRoot, "duplicate-key"},
      {kRoot, "protocol"},
      {kUsers + kUsers, "protocol"},
      {kUsers + "{\"row\":{},\"table\":\"x\"}\n", "protocol"},
      {"{}\n", "protocol"},
      {"[]\n", "protocol"},
      {"{\"rows\":1}\n", "protocol"},
      {"{\"table\":1}\n", "protocol"},
      {"{\"table\":{\"table\":\"users\"}}\n", "protocol"},
      {"{\"unchanged\":\"groups\"}\n", "protocol"},
      {kUsers + "{\"unchanged\":{\"table\":\"users\"}}\n", "protocol"},
      {"{\"unchanged\":{\"table\":\"groups\"}}\n{\"table\":\"groups\"}\n", "protocol"},
      {"{\"error\":{\"table\":\"users\",\"code\":\"other\",\"message\":\"\"}}\n" + kUsers,
       "protocol"},
      {"{\"error\":{\"table\":\"users\",\"code\":\"sad\",\"message\":\"\"}}\n", "protocol"},
      {"{\"error\":{\"table\":\"users\",\"code\":\"other\"}}\n", "protocol"},
      {"{\"log\":{\"level\":\"fatal\",\"message\":\"\"}}\n", "protocol"},
      {"{\"end\":{\"rows\":[],\"unchanged\":1,\"errors\":0}}\n", "protocol"},
      {"{\"unchanged\":{\"table\":\"users\"}}\n", "cache"},
      {"{\"cache\":{\"table\":\"users\",\"token\":\"" + std::string(kCacheTokenBytesMax + 1, 't') +
           "\"}}\n",
       "cache"},
      {std::string(kRowLineBytesMax, ' '), "line-too-long"},
      {kUsers + "{\"row\":{\"username\":\"\xff\"}}\n", "bad-utf8"},
      {"\xef\xbb\xbf" + kGood, "bad-utf8"},
      {kUsers + "{\"row\":{\"username\":\"\\u0000\",\"uid\":1}}\n", "nul"},
      {kUsers + std::string("\0\n", 2), "nul"},
      {kUsers + "{\"row\":{\"username\":\"\\\\u0000\",\"uid\":1.5}}\n", "wrong-type"},
      {"\n", "bad-json"},
      {"{\"table\":\"users\"}\r\n", "bad-json"},
      {"{\"table\":\t\"users\"}\n", "bad-json"},
      {kUsers + "{\"row\":{\"username\":\"a\",\"username\":\"b\",\"uid\":1}}\n", "bad-json"},
      {kUsers + "{\"row\":{\"username\":\"\\ud800\",\"uid\":1}}\n", "bad-json"},
      {row("\"uid\":007"), "bad-json"},
      {row("\"uid\":1,"), "bad-json"},
      {"{\"end\":{\"rows\":{},\"unchanged\":1.0,\"errors\":0}}\n", "bad-json"},
  }));
  CAPTURE(output.substr(0, 200));
  CHECK(violation(output) == reason);
  CHECK(violation("{\"log\":{\"level\":\"info\",\"message\":\"m\"}}\n" + output) ==
        (output.starts_with("\xef") ? "bad-utf8" : reason));
}

TEST_CASE("a violation names the line and nothing that stood on it", "[collector]") {
  const auto result =
      parse(kUsers + kRoot + "{\"row\":{\"username\":\"hunter2\",\"uid\":\"x\"}}\n");

  const auto* found = std::get_if<RunViolation>(&result);
  REQUIRE(found);
  CHECK(found->line == 3);
  CHECK_THAT(found->message, Catch::Contains("line 3"));
  CHECK(found->message.find("hunter2") == std::string::npos);
}

TEST_CASE("a line is refused while it is read, not after", "[collector]") {
  OutputParser parser(*parse_manifest(kManifest), request());
  const std::string piece(kRowLineBytesMax / 4, ' ');
  CHECK(parser.feed(piece));
  CHECK(parser.feed(piece));
  CHECK(parser.feed(piece));
  CHECK_FALSE(parser.feed(piece));
}

TEST_CASE("more than 128 MiB of output is a violation", "[collector]") {
  OutputParser parser(*parse_manifest(kManifest), request());
  const std::string line = "{\"log\":{\"level\":\"info\",\"message\":\"" +
                           std::string(kRowLineBytesMax - 64, 'x') + "\"}}\n";
  std::size_t fed = 0;
  while (parser.feed(line)) fed += line.size();

  CHECK(fed <= kCollectorOutputBytesMax);
  CHECK(fed + line.size() > kCollectorOutputBytesMax);
  const auto result = parser.finish();
  REQUIRE(std::holds_alternative<RunViolation>(result));
  CHECK(std::get<RunViolation>(result).reason == Violation::output_too_large);
}

TEST_CASE("a cell that is too large voids its table alone", "[collector]") {
  const auto result =
      parse(kUsers + kRoot + "{\"row\":{\"username\":\"" + std::string(kCellBytesMax + 1, 'x') +
            "\",\"uid\":1}}\n" + kRest +
            "{\"end\":{\"rows\":{\"users\":2,\"gaps\":0},\"unchanged\":1,\"errors\":0}}\n");

  REQUIRE(std::holds_alternative<Snapshot>(result));
  const auto* users = std::get<Snapshot>(result).find("users");
  CHECK(users->kind == TableAnswer::Kind::error);
  CHECK(users->error_code == "too-large");
  CHECK(users->blob.bytes.empty());
}

TEST_CASE("log lines are kept to a number and the rest is counted", "[collector]") {
  std::string output;
  for (int i = 0; i < 1003; ++i) output += "{\"log\":{\"level\":\"warn\",\"message\":\"m\"}}\n";
  const auto result = parse(output + kGood);

  REQUIRE(std::holds_alternative<Snapshot>(result));
  CHECK(std::get<Snapshot>(result).log.size() == 1000);
  CHECK(std::get<Snapshot>(result).log_lines_left_out == 3);
}

TEST_CASE("a cache token comes back with its table", "[collector]") {
  const auto result = parse("{\"cache\":{\"table\":\"users\",\"token\":\"t1\"}}\n" + kGood);

  REQUIRE(std::holds_alternative<Snapshot>(result));
  CHECK(std::get<Snapshot>(result).find("users")->cache_token == "t1");
  CHECK(violation("{\"cache\":{\"table\":\"users\",\"token\":\"\"}}\n"
                  "{\"cache\":{\"table\":\"users\",\"token\":\"\"}}\n") == "protocol");
}

TEST_CASE("a request is one line and reads back as it was", "[collector]") {
  auto wanted = request();
  wanted.cache_dir = "/proc/self/fd/3";
  const auto line = write_request(wanted);

  CHECK(line.find('\n') == line.size() - 1);
  const auto read = parse_request(line);
  REQUIRE(read);
  CHECK(write_request(*read) == line);
  CHECK(read->cache.at("groups") == "t0");
  CHECK_FALSE(parse_request("{}"));
  CHECK_FALSE(parse_request(line + "x"));
}

TEST_CASE("a manifest reads back as it was written", "[collector]") {
  const auto manifest = parse_manifest(kManifest);

  REQUIRE(manifest);
  CHECK(manifest->find("users")->find("home")->null_means == "none");
  CHECK(manifest->find("groups")->is_volatile);
  CHECK(manifest->find("groups")->capabilities.size() == 1);
  CHECK(manifest->find("gaps") == &gaps_schema());
  CHECK(manifest->find("shadow") == nullptr);
  const auto again = parse_manifest(write_manifest(*manifest));
  REQUIRE(again);
  CHECK(*again == *manifest);
}

TEST_CASE("a manifest that is not of the form is refused", "[collector]") {
  const auto [from, to] = GENERATE(table<std::string, std::string>({
      {"\"protocol\":1", "\"protocol\":2"},
      {"\"protocol\":1,", ""},
      {"access_review", "Access"},
      {"\"version\":\"1.4.0\"", "\"version\":\"\""},
      {"\"interval_s\":3600", "\"interval_s\":0"},
      {"\"interval_s\":3600", "\"interval_s\":\"1h\""},
      {"\"options\":{}", "\"options\":[]"},
      {"\"network\":false", "\"network\":0"},
      {"\"name\":\"groups\"", "\"name\":\"users\""},
      {"\"name\":\"groups\"", "\"name\":\"gaps\""},
      {"\"key\":[\"gid\"]", "\"key\":[]"},
      {"\"key\":[\"gid\"]", "\"key\":[\"uid\"]"},
      {"\"type\":\"bytes\"", "\"type\":\"blob\""},
      {",\"null\":\"none\"", ""},
      {"\"nullable\":true,", ""},
      {"\"nullable\":true", "\"nullable\":false"},
      {"\"null\":\"none\"", "\"null\":\"none\",\"redact\":\"all\""},
      {"\"volatile\":true", "\"volatile\":1"},
  }));
  std::string text = kManifest;
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
  CAPTURE(from, to);

  CHECK_FALSE(parse_manifest(text));
}
