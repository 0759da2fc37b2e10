// SPDX-License-Identifier: Apache-2.0
// What `vouch status` shows of a running agent. Never evidence.
#include <algorithm>

#include "agent/vouchd/agent.h"
#include "agent/vouchd/alerting.h"
#include "agent/vouchd/host_facts.h"
#include "core/log.h"
#include "proto/keys.h"

namespace vouch::agent {
namespace {

json::Value second_of(WallMs ms) {
  return ms == 0 ? json::Value() : json::Value(format_second(ms / 1000));
}

}  // namespace

bool Agent::is_damaged() {
  const auto whole = state_->ledger.database().check();
  return !whole && whole.error().code == Errc::corrupt;
}

json::Value Agent::status() {
  json::Object out{{"agent", state_->identity.agent}, {"host", host_.host},
                   {"version", VOUCH_VERSION},        {"config", config_digest_},
                   {"policy", judge_->policy()},      {"enrolled", state_->has_store()}};
  const auto number = [](const Result<std::int64_t>& value) {
    return value ? json::Value(*value) : json::Value();
  };
  if (const auto head = state_->ledger.chain_head(); head && *head) {
    const ChainHead& chain = **head;
    out["sealed_bundles"] = chain.link.next_seq;
    out["epoch"] = chain.link.epoch;
    out["epoch_since"] = second_of(chain.epoch_since);
    out["epoch_bundles"] = chain.bundles_in_epoch;
    if (const auto key = PublicKey::from_spki(chain.link.spki)) out["keyid"] = key->keyid();
    out["last_sealed"] = second_of(chain.link.sealed);
    out["next_due"] = second_of(chain.next_due);
  }
  out["collected_records"] = number(state_->waiting.count());
  out["acknowledged_seq"] = number(state_->ledger.get_integer(kAcknowledgedSeq, -1));
  out["spool_bytes"] = number(state_->bundles.spool_bytes());
  if (const auto waiting = state_->bundles.in_state(BundleState::waiting)) {
    out["waiting_bundles"] = static_cast<std::int64_t>(waiting->size());
    if (!waiting->empty()) out["oldest_waiting"] = second_of(waiting->front().sealed);
  }
  out["spool_bytes_max"] = config_.spool_bytes_max;
  if (const auto last = state_->ledger.get_integer(kAcknowledgedSeq, -1); last && *last >= 0) {
    const auto bundle = state_->bundles.find(*last);
    if (bundle && *bundle) {
      out["receipt_latency_ms"] = std::max<WallMs>((*bundle)->acknowledged - (*bundle)->sealed, 0);
    }
  }
  const ClockTrust clock = read_clock_trust();
  json::Object trust{{"synced", clock.synced}, {"source", clock.source}};
  if (clock.error_us) trust["error_us"] = *clock.error_us;
  out["clock"] = std::move(trust);
  if (const auto forked = state_->ledger.get(kForked)) out["forked"] = forked->has_value();
  if (const auto alarm = state_->ledger.get(kLogAlarm)) out["log_alarm"] = alarm->has_value();

  if (alerting_) out["alerts"] = alerting_->summary();

  const WallMs now = clock_.wall_ms();
  json::Array collectors;
  for (std::size_t i = 0; i < collectors_.size(); ++i) {
    json::Object entry{{"name", collectors_[i].name},
                       {"interval_s", collectors_[i].interval_s},
                       {"next_due", format_second(next_due(schedule_[i], clock_.wall_ms()))}};
    if (const auto state = state_->waiting.collector(collectors_[i].name)) {
      entry["last_observed"] = second_of(state->observed);
      entry["failure"] = state->failure.empty() ? json::Value() : json::Value(state->failure);
    }
    if (const auto paused = find_suppression(windows_, collectors_[i].name, now / 1000)) {
      entry["suppressed_until"] = format_second(paused->until);
      entry["suppressed_by"] = paused->by;
      entry["suppressed_reason"] = paused->reason;
    }
    collectors.push_back(std::move(entry));
  }
  out["collectors"] = std::move(collectors);
  return out;
}

}  // namespace vouch::agent
