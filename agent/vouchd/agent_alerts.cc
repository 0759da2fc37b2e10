// SPDX-License-Identifier: Apache-2.0
// The agent and its alerts: who is alerted is configuration, so it is there before the first
// record.
#include "agent/vouchd/agent.h"
#include "agent/vouchd/alerting.h"
#include "core/owner.h"
#include "policies/engine/waiver.h"

namespace vouch::agent {

Agent::~Agent() = default;  // Here, where Alerting is complete.

Status Agent::open_alerting() {
  if (config_.alerts.empty()) return Ok{};
  AlertingOptions options;
  options.rules_text = config_.alerts_text;
  options.rules_file = config_.alerts;
  options.host = host_.host;
  options.outbox = config_.outbox_dir();
  options.receipts_dir = config_.receipts_dir();
  options.ship_uid = owner_of(options.receipts_dir);
  options.spool_bytes_max = config_.spool_bytes_max;
  options.schedule = schedule_;
  if (const auto& waivers = judge_->waivers()) {
    auto read = policy::read_waivers(judge_->blobs().at(waivers->sha256));
    if (!read) return std::move(read).error();
    options.waivers = *std::move(read);
  }
  auto alerting = Alerting::open(*state_, clock_, judge_->packs(), std::move(options));
  if (!alerting) return std::move(alerting).error();
  alerting_ = *std::move(alerting);
  state_->waiting.set_listener(alerting_.get());
  return Ok{};
}

Result<std::int64_t> Agent::send_test_alert(std::string_view channel) {
  if (alerting_) return alerting_->send_test(channel);
  return Error{Errc::not_found,
               "nobody is alerted: there is no rule file (alerts: in vouchd.yaml)"};
}

Result<json::Value> Agent::list_alerts(std::int64_t at_most) {
  if (alerting_) return alerting_->list(at_most);
  return Error{Errc::not_found,
               "nobody is alerted: there is no rule file (alerts: in vouchd.yaml)"};
}

}  // namespace vouch::agent
