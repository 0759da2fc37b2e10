// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/alert_sources.h"

#include <catch2/catch.hpp>

namespace vouch::agent {
namespace {

const AlertContext kContext{{{"host", "web-01"}}, {{"dormant", "soc2-2017 CC6.1"}}, nullptr};

}  // namespace

TEST_CASE("a document is overdue by its expiry or its cadence, whichever comes first",
          "[alerting]") {
  Attachment document;
  document.file = "policy.pdf";
  document.title = "Security policy";
  document.effective = 1'000'000;
  CHECK(document_report(kContext, document).conditions.empty());
  document.cadence_days = 10;
  CHECK(document_report(kContext, document).conditions[0].from == (1'000'000 + 864'000) * 1000LL);
  document.expires = 1'000'001;
  CHECK(document_report(kContext, document).conditions[0].from == 1'000'001'000LL);
}

TEST_CASE("the spool presses from its level on, and is critical when full", "[alerting]") {
  CHECK(spool_report(kContext, 79, 100, 80).conditions.empty());
  CHECK(spool_report(kContext, 85, 100, 80).conditions[0].magnitude == 80);
  CHECK(spool_report(kContext, 95, 100, 80).conditions[0].magnitude == 90);
  const auto full = spool_report(kContext, 500, 100, 80).conditions[0];
  CHECK(full.severity == alerts::Severity::critical);
  CHECK(full.title == "The spool is full: collecting has stopped");
  CHECK(spool_report(kContext, 500, 0, 80).conditions.empty());
}

TEST_CASE("alarms of the log, rollbacks and drops are critical", "[alerting]") {
  CHECK(log_report(kContext, false, false).conditions.empty());
  CHECK(log_report(kContext, true, true).conditions.size() == 2);
  StoreRollback rollback{1000, "s/log1", 5, 9, 3};
  CHECK(rollback_report(kContext, rollback).conditions[0].until == 1000 + 86'400'000);
  SpoolDrop drop{1000, 3, 4, {"a", "b"}, "ann", "a disk died"};
  CHECK(drop_report(kContext, drop).conditions[0].value ==
        "2 blobs of bundles 3 to 4: a disk died");
}

}  // namespace vouch::agent
