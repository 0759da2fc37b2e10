// SPDX-License-Identifier: Apache-2.0
#include "alerts/judged.h"

#include <catch2/catch.hpp>

namespace vouch::alerts {
namespace {

const AlertContext kContext{{{"host", "web-01"}}, {{"dormant", "soc2-2017 CC6.1"}}, nullptr};

Outcome outcome(OutcomeKind kind, std::int64_t violations = 0) {
  Outcome out;
  out.check = "dormant.login";
  out.control = "dormant";
  out.outcome = kind;
  out.violations = violations;
  out.message = "users: permission-denied";
  return out;
}

}  // namespace

TEST_CASE("what passes, is waived or does not apply is no condition", "[sources]") {
  const auto report =
      outcomes_report(kContext, "access_review",
                      {outcome(OutcomeKind::pass), outcome(OutcomeKind::waived, 1),
                       outcome(OutcomeKind::not_applicable)},
                      [](std::string_view) -> Result<std::string> { return std::string(); });
  CHECK(report.source == "outcomes/access_review");
  CHECK(report.conditions.empty());
}

TEST_CASE("no evidence is a condition of its own kind, under the check's key", "[sources]") {
  const auto report =
      outcomes_report(kContext, "access_review", {outcome(OutcomeKind::error)},
                      [](std::string_view) -> Result<std::string> { return std::string(); });
  REQUIRE(report.conditions.size() == 1);
  const auto& condition = report.conditions[0];
  CHECK(condition.key == "check/dormant.login");
  CHECK(condition.kind == "not-judged");
  CHECK(condition.value == "could not be judged: users: permission-denied");
  CHECK(condition.criterion == "soc2-2017 CC6.1");
}

TEST_CASE("findings are the first rows of their blob, and lost ones leave the count", "[sources]") {
  auto failing = outcome(OutcomeKind::fail, 7);
  failing.waived = 2;
  failing.findings = std::string(64, 'a');
  std::string blob;
  for (int i = 0; i < 7; ++i) blob += "{\"n\":" + std::to_string(i) + "}\n";
  const auto report = outcomes_report(
      kContext, "c", {failing}, [&](std::string_view) -> Result<std::string> { return blob; });
  CHECK(report.conditions[0].findings.size() == 5);
  CHECK(report.conditions[0].findings[4] == "{\"n\":4}");
  CHECK(report.conditions[0].value == "5 rows violate it, 2 more are waived");
  CHECK(report.conditions[0].magnitude == 5);
  const auto lost =
      outcomes_report(kContext, "c", {failing}, [](std::string_view) -> Result<std::string> {
        return Error{Errc::not_found, "gone"};
      });
  CHECK(lost.conditions[0].findings.empty());
  CHECK(lost.conditions[0].findings_total == 7);
}

TEST_CASE("rows of drift are conditions by table and key", "[sources]") {
  const auto report = drift_report(
      kContext, "config_drift",
      R"({"after":"0644","before":"0600","change":"changed","column":"mode","first_seen":"x","key":"[\"/etc/a\"]","table_name":"files"}
{"after":"1","before":"0","change":"changed","column":"uid","first_seen":"x","key":"[\"/etc/a\"]","table_name":"files"}
{"after":null,"before":null,"change":"added","column":null,"first_seen":"x","key":"[\"/etc/b\"]","table_name":"files"}
)");
  REQUIRE(report.conditions.size() == 2);
  CHECK(report.conditions[0].key == R"(drift/files ["/etc/a"])");
  CHECK(report.conditions[0].value == "mode: 0600 -> 0644; uid: 0 -> 1");
  CHECK(report.conditions[0].labels.at("table") == "files");
  CHECK(report.conditions[1].value == "added");
  CHECK(drift_report(kContext, "config_drift", "").conditions.empty());
}

}  // namespace vouch::alerts
