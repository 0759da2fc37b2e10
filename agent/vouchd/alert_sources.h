// SPDX-License-Identifier: Apache-2.0
// What the agent knows of, beside what was judged (alerts/judged.h), as conditions for the engine
// of alerts (docs/alerts.md). Pure: each function says, from values, all that is wrong as seen from
// one source.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/vouchd/bundle_ledger.h"
#include "alerts/condition.h"
#include "alerts/judged.h"
#include "core/clock.h"
#include "policies/engine/pack.h"
#include "policies/engine/waiver.h"
#include "proto/record.h"
#include "proto/schedule.h"

namespace vouch::agent {

using alerts::AlertContext;

// Checks by the packs in force, which must outlive it.
alerts::FindCheck find_in(const policy::PackSet& packs);

// collector-failure. No reason: the last run was good.
alerts::Report failure_report(const AlertContext& context, const std::string& collector,
                              std::string_view reason, std::string_view message);
// silence of one collector, unless it is observed again in time.
alerts::Report silence_report(const AlertContext& context, const ScheduleEntry& entry,
                              WallMs observed, std::int64_t intervals);
// silence of the way to the store. 0: nothing waits.
alerts::Report undelivered_report(const AlertContext& context, WallMs oldest_sealed,
                                  std::int64_t after_s);
alerts::Report waivers_report(const AlertContext& context,
                              const std::vector<policy::Waiver>& waivers, std::int64_t before_s);
alerts::Report document_report(const AlertContext& context, const Attachment& document);
alerts::Report spool_report(const AlertContext& context, std::int64_t bytes, std::int64_t bytes_max,
                            std::int64_t percent);
// Of bundles that still wait.
alerts::Report refused_report(const AlertContext& context, const std::vector<Refusal>& refusals);
alerts::Report log_report(const AlertContext& context, bool log_alarm, bool forked);
// For 24 h.
alerts::Report rollback_report(const AlertContext& context, const StoreRollback& rollback);
alerts::Report drop_report(const AlertContext& context, const SpoolDrop& drop);

}  // namespace vouch::agent
