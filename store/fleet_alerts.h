// SPDX-License-Identifier: Apache-2.0
// Alerts of the fleet (docs/alerts.md): what the index says of all hosts becomes conditions for the
// engine of alerts, and what the engine wants said becomes files in alerts/outbox/ of the store's
// directory, which vouch-ship delivers. Never evidence, and trouble with it holds up no evidence.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alerts/desk.h"
#include "alerts/judged.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "core/sqlite.h"
#include "policies/engine/pack.h"
#include "store/disk.h"
#include "store/index.h"

namespace vouch::store {

inline constexpr std::string_view kDefaultAlertRules = "/etc/vouch/store-alerts.yaml";

struct FleetAlertsOptions {
  std::string directory;  // The store's.
  std::string origin;     // Of its log: the sender.
  std::string host;       // By which agents reach it.
  std::string rules;      // The rule file.
  WallMs grace_ms = 0;    // Silence after what was promised.
};

class FleetAlerts {
 public:
  // Reads the rule file, which must not be writable by others (Errc::denied). Makes alerts/.
  // `clock` must outlive it.
  static Result<std::unique_ptr<FleetAlerts>> open(FleetAlertsOptions options, const Clock& clock);
  FleetAlerts(FleetAlertsOptions options, const Clock& clock, sqlite::Database database);  // open()

  // What the index says now, new files, answers of vouch-ship. `disk` reads the store's blobs.
  Status tick(Index& index, Disk& disk);

  // For commands, beside a serving store.
  Result<std::int64_t> send_test(std::string_view channel) { return desk_->send_test(channel); }
  Result<json::Value> list(std::int64_t at_most);

 private:
  Status report_agents(Index& index, std::vector<alerts::Report>& reports);
  Status report_runs(Index& index, Disk& disk, std::vector<alerts::Report>& reports);
  Result<alerts::Report> report_run(const Agent& agent, const LatestRun& run, Index& index,
                                    Disk& disk);
  [[nodiscard]] alerts::Report report_disk() const;
  [[nodiscard]] alerts::Labels labels_of(const Agent& agent) const;

  FleetAlertsOptions options_;
  const Clock* clock_;
  sqlite::Database database_;  // Outlives the desk: declared first.
  std::unique_ptr<alerts::Desk> desk_;
  alerts::AlertContext context_;
  std::uint64_t log_size_ = 0;               // Of the log when the runs were looked at last.
  std::map<std::string, std::string> seen_;  // Digests of what was reported.
  std::map<std::string, policy::PackSet, std::less<>> packs_;  // By policy set.
};

}  // namespace vouch::store
