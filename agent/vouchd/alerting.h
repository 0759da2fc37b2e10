// SPDX-License-Identifier: Apache-2.0
// Alerts of this host (docs/alerts.md): what is recorded becomes conditions for the engine, in the
// transaction of the record; what the engine wants said becomes files in outbox/alerts/, and what
// vouch-ship answers is noted. Trouble with alerts never keeps a record from being made.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/vouchd/alert_sources.h"
#include "agent/vouchd/state.h"
#include "alerts/desk.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"

namespace vouch::agent {

struct AlertingOptions {
  std::string rules_text;  // The rule file, and its name for messages.
  std::string rules_file;
  std::string host;
  std::string outbox;        // outbox/
  std::string receipts_dir;  // receipts/
  uid_t ship_uid = 0;        // Who may own what is in receipts_dir, besides ourselves.
  std::int64_t spool_bytes_max = 0;
  std::vector<ScheduleEntry> schedule;
  std::vector<policy::Waiver> waivers;
};

class Alerting final : public RecordListener {
 public:
  // All references must outlive it. Errc::invalid: the rule file.
  static Result<std::unique_ptr<Alerting>> open(State& state, const Clock& clock,
                                                const policy::PackSet& packs,
                                                AlertingOptions options);

  Alerting(State& state, alerts::Desk desk, AlertingOptions options)  // Use open().
      : state_(state), desk_(std::move(desk)), options_(std::move(options)) {}

  // Before the first record: what is no longer configured is over, files follow the ledger.
  Status start();
  // Called within the transaction that adds the record.
  Status on_record(const Record& record) override;
  // What time and the ledger say, new files, answers of vouch-ship.
  Status tick();
  // When tick() has something to do even if nothing happens.
  [[nodiscard]] std::optional<WallMs> next_wake() const { return desk_.next_wake(); }

  // Queues a test; its number. Errc::not_found: no such channel.
  Result<std::int64_t> send_test(std::string_view channel) { return desk_.send_test(channel); }
  // For `vouch status` and `vouch alert list`.
  [[nodiscard]] json::Value summary() { return desk_.summary(); }
  Result<json::Value> list(std::int64_t at_most) { return desk_.list(at_most); }

 private:
  Status refresh();
  std::vector<alerts::Report> reports_of(const Record& record);
  void add_observation(const Observation& observation, std::vector<alerts::Report>& reports);
  Result<std::vector<alerts::Report>> reports_of_ledger();

  State& state_;
  alerts::Desk desk_;
  AlertingOptions options_;
  AlertContext context_;
  std::map<std::string, std::string> seen_;  // Digests of what was reported of a collector last.
};

}  // namespace vouch::agent
