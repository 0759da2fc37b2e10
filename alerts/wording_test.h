// SPDX-License-Identifier: Apache-2.0
// Alerts and channels for the tests of what is sent.
#pragma once

#include <string>

#include "alerts/alert.h"
#include "alerts/rules.h"

namespace vouch::alerts {

inline Alert sample_alert() {
  ToldCondition told;
  told.condition.key = "check/dormant-accounts.login";
  told.condition.kind = kind::kControlDrift;
  told.condition.severity = Severity::high;
  told.condition.title = "No login account unused for 90 days";
  told.condition.labels = {{"check", "dormant-accounts.login"}, {"host", "web-01"}};
  told.condition.value = "7 rows violate it";
  told.condition.expected = "max_days = 90";
  told.condition.criterion = "soc2-2017 CC6.1";
  told.condition.remedy = "Disable it with `usermod --expiredate 1 NAME`";
  told.condition.findings = {R"({"username":"bob"})", R"({"username":"<eve> & *co*"})"};
  told.condition.findings_total = 7;
  told.since = 1'790'000'000'000;
  told.holds_until = 1'790'086'400'000;
  Alert alert;
  alert.n = 17;
  alert.channel = "ops";
  alert.rule = "urgent";
  alert.sender = {"6f1c2a9e-0b7d-4c53-9a51-2d0e8b3f4c77", "web-01"};
  alert.made = 1'790'000'000'118;
  alert.group = {{"kind", "control-drift"}};
  alert.conditions = {told};
  return alert;
}

inline Alert sample_digest() {
  Alert alert = sample_alert();
  alert.type = AlertType::held;
  alert.rule.clear();
  alert.conditions.clear();
  alert.held = {
      1'790'000'000'000, 21, 3, {{"critical", 4}, {"low", 20}}, {"firing: One", "firing: Two"}};
  return alert;
}

inline Alert sample_test() {
  Alert alert = sample_alert();
  alert.type = AlertType::test;
  alert.rule.clear();
  alert.conditions.clear();
  return alert;
}

}  // namespace vouch::alerts
