// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/drift.h"

#include <catch2/catch.hpp>

#include "policies/engine/waiver.h"

namespace vouch::policy {
namespace {

TableSchema files() {
  TableSchema schema;
  schema.name = "files";
  schema.key = {"path"};
  for (const auto& [name, type] :
       {std::pair{"path", ColumnType::text}, std::pair{"mode", ColumnType::text},
        std::pair{"size", ColumnType::integer}, std::pair{"setuid", ColumnType::boolean}}) {
    Column column;
    column.name = name;
    column.type = type;
    column.nullable = std::string_view(name) == "mode";
    schema.columns.push_back(column);
  }
  return schema;
}

constexpr std::string_view kBefore = R"({"mode":"0600","path":"/a","setuid":false,"size":1}
{"mode":"0600","path":"/b","setuid":false,"size":1}
{"mode":"0644","path":"/c","setuid":false,"size":1}
)";
constexpr std::string_view kAfter = R"({"mode":"0600","path":"/a","setuid":false,"size":1}
{"mode":"0644","path":"/d","setuid":false,"size":1}
{"mode":null,"path":"/c","setuid":true,"size":2}
)";

}  // namespace

TEST_CASE("drift has a row per added and removed key and per changed column", "[drift]") {
  const auto schema = files();

  auto drift = compute_drift({{&schema, kBefore, kAfter}}, "", "2026-06-30T00:00:00Z");

  REQUIRE(drift);
  CHECK(
      *drift ==
      R"({"after":"2","before":"1","change":"changed","column":"size","first_seen":"2026-06-30T00:00:00Z","key":"[\"/c\"]","table_name":"files"}
{"after":"true","before":"false","change":"changed","column":"setuid","first_seen":"2026-06-30T00:00:00Z","key":"[\"/c\"]","table_name":"files"}
{"after":null,"before":"0644","change":"changed","column":"mode","first_seen":"2026-06-30T00:00:00Z","key":"[\"/c\"]","table_name":"files"}
{"after":null,"before":null,"change":"added","column":"","first_seen":"2026-06-30T00:00:00Z","key":"[\"/d\"]","table_name":"files"}
{"after":null,"before":null,"change":"removed","column":"","first_seen":"2026-06-30T00:00:00Z","key":"[\"/b\"]","table_name":"files"}
)");
}

TEST_CASE("a drift that goes on keeps the time when it was first seen", "[drift]") {
  const auto schema = files();
  auto first = compute_drift({{&schema, kBefore, kAfter}}, "", "2026-06-30T00:00:00Z");
  REQUIRE(first);

  auto same = compute_drift({{&schema, kBefore, kAfter}}, *first, "2026-07-01T00:00:00Z");
  auto gone = compute_drift({{&schema, kBefore, kBefore}}, *first, "2026-07-02T00:00:00Z");
  REQUIRE(gone);
  auto back = compute_drift({{&schema, kBefore, kAfter}}, *gone, "2026-07-03T00:00:00Z");

  REQUIRE(same);
  CHECK(*same == *first);
  CHECK(gone->empty());
  REQUIRE(back);
  CHECK_THAT(*back, Catch::Contains("2026-07-03T00:00:00Z") && !Catch::Contains("2026-06-30"));
}

TEST_CASE("no drift is computed from what is no table, or has no key", "[drift]") {
  auto schema = files();

  CHECK_FALSE(compute_drift({{&schema, "x\n", kAfter}}, "", "2026-06-30T00:00:00Z"));
  CHECK_FALSE(compute_drift({{&schema, kBefore, kAfter}}, "x\n", "2026-06-30T00:00:00Z"));
  CHECK_FALSE(compute_drift({{&schema, kBefore, kAfter}}, "", "today"));
  schema.key.clear();
  CHECK_FALSE(compute_drift({{&schema, kBefore, kAfter}}, "", "2026-06-30T00:00:00Z"));
}

TEST_CASE("waivers are read from the files of people, strictly", "[waiver]") {
  const std::string good = R"(waivers:
  - { id: W-1, check: a.b, match: { username: bob, uid: 5 }, owner: it, reason: r, approved_by: jones, valid_from: 2026-01-01T00:00:00Z, valid_until: 2027-01-01T00:00:00Z }
)";
  const auto with = [&](std::string_view from, std::string_view to) {
    auto text = good;
    text.replace(text.find(from), from.size(), to);
    auto waivers = load_waivers(text, "w.yaml");
    return waivers ? std::string("ok") : waivers.error().message;
  };

  auto waivers = load_waivers(good, "w.yaml");

  REQUIRE(waivers);
  auto again = read_waivers(write_waivers(*waivers));
  REQUIRE(again);
  CHECK(again->at(0).match == json::Object{{"username", "bob"}, {"uid", 5}});
  CHECK(again->at(0).approved_at.empty());
  CHECK_THAT(with("approved_by: jones", "approved_by: it"),
             Catch::Contains("another person than the owner"));
  CHECK_THAT(with("2027-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
             Catch::Contains("ends before it begins"));
  CHECK_THAT(with("2027-01-01T00:00:00Z", "2027-01-01"), Catch::Contains("is no time such as"));
  CHECK_THAT(with("match: { username: bob, uid: 5 }, ", ""),
             Catch::Contains("\"match\" is missing"));
  CHECK_THAT(with("reason: r, ", ""), Catch::Contains("\"reason\" is missing"));
}

}  // namespace vouch::policy
