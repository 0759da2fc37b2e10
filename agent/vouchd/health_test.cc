// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/health.h"

#include <catch2/catch.hpp>

namespace vouch::agent {
namespace {

const WallSeconds kNow = parse_second("2026-11-27T12:00:00Z").value();

json::Object healthy() {
  return {{"enrolled", true},
          {"forked", false},
          {"log_alarm", false},
          {"sealed_bundles", 12},
          {"waiting_bundles", 0},
          {"spool_bytes", 0},
          {"spool_bytes_max", 1000},
          {"receipt_latency_ms", 140},
          {"last_sealed", "2026-11-27T11:30:00Z"},
          {"next_due", "2026-11-27T12:30:00Z"},
          {"clock", json::Object{{"synced", true}, {"error_us", 310}}},
          {"collectors", json::Array{json::Object{{"name", "access_review"},
                                                  {"interval_s", 300},
                                                  {"last_observed", "2026-11-27T11:58:00Z"},
                                                  {"failure", nullptr}}}}};
}

json::Object with(std::string_view member, json::Value value) {
  json::Object status = healthy();
  status[std::string(member)] = std::move(value);
  return status;
}

}  // namespace

TEST_CASE("an agent that works has no problem", "[health]") {
  CHECK(problems_of(healthy(), kNow).empty());
}

TEST_CASE("each thing that keeps evidence from coming is a failure with a remedy", "[health]") {
  const json::Object status_now = healthy();
  json::Object late = *status_now.at("collectors").if_array()->front().if_object();
  late["last_observed"] = "2026-11-27T11:40:00Z";
  json::Object failed = late;
  failed["last_observed"] = "2026-11-27T11:58:00Z";
  failed["failure"] = "deadline";
  json::Object unsent = with("oldest_waiting", "2026-11-27T10:59:59Z");
  unsent["waiting_bundles"] = 3;
  const auto [status, words] = GENERATE_COPY(table<json::Object, std::string>(
      {{with("forked", true), "another bundle"},
       {with("log_alarm", true), "contradicts itself"},
       {with("next_due", "2026-11-27T11:54:59Z"), "promised by 2026-11-27T11:54:59Z"},
       {with("collectors", json::Array{late}), "not observed since 2026-11-27T11:40:00Z"},
       {with("collectors", json::Array{failed}), "the last run failed: deadline"},
       {unsent, "3 bundles wait"},
       {with("spool_bytes", 1000), "nothing is collected"}}));
  CAPTURE(words);

  const auto problems = problems_of(status, kNow);

  REQUIRE(problems.size() == 1);
  CHECK(problems[0].is_failure);
  CHECK_THAT(problems[0].text, Catch::Contains(words));
  CHECK_FALSE(problems[0].remedy.empty());
}

TEST_CASE("what is not yet a failure is a warning, and comes last", "[health]") {
  json::Object status = with("enrolled", false);
  status["clock"] = json::Object{{"synced", false}};
  status["forked"] = true;

  const auto problems = problems_of(status, kNow);

  REQUIRE(problems.size() == 3);
  CHECK(problems[0].is_failure);
  CHECK_FALSE(problems[1].is_failure);
  CHECK_FALSE(problems[2].is_failure);
  const auto nearly_full = problems_of(with("spool_bytes", 800), kNow);
  REQUIRE(nearly_full.size() == 1);
  CHECK_FALSE(nearly_full[0].is_failure);
  CHECK(problems_of(with("spool_bytes", 700), kNow).empty());
}

TEST_CASE("a store that was away for less than an hour wakes nobody", "[health]") {
  CHECK(problems_of(with("oldest_waiting", "2026-11-27T11:00:00Z"), kNow).empty());
}

TEST_CASE("the metrics are Prometheus text", "[health]") {
  const std::string text = write_metrics(with("oldest_waiting", "2026-11-27T11:59:00Z"), kNow);

  CHECK_THAT(text, Catch::Contains("# TYPE vouch_failures gauge\nvouch_failures 0\n"));
  CHECK_THAT(text, Catch::Contains("\nvouch_oldest_unsent_seconds 60\n"));
  CHECK_THAT(text, Catch::Contains("\nvouch_receipt_latency_milliseconds 140\n"));
  CHECK_THAT(text, Catch::Contains("\nvouch_clock_error_microseconds 310\n"));
  CHECK_THAT(text, Catch::Contains("\nvouch_collector_failed{collector=\"access_review\"} 0\n"));
}

TEST_CASE("a status that says nothing breaks nothing", "[health]") {
  CHECK_FALSE(problems_of(json::Value(), kNow).empty());
  CHECK_FALSE(write_metrics(json::Object{{"collectors", 7}}, kNow).empty());
}

}  // namespace vouch::agent
