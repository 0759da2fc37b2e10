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

#include "agent/vouchd/alert_ledger.h"
#include "agent/vouchd/alert_sources.h"
#include "agent/vouchd/state.h"
#include "alerts/engine.h"
#include "alerts/rules.h"
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

  Alerting(State& state, const Clock& clock, AlertLedger ledger, AlertingOptions options,
           alerts::Rules rules)  // Use open().
      : state_(state),
        clock_(clock),
        ledger_(std::move(ledger)),
        options_(std::move(options)),
        rules_(std::move(rules)) {}

  // Before the first record: what is no longer configured is over, files follow the ledger.
  Status start();
  // Called within the transaction that adds the record.
  Status on_record(const Record& record) override;
  // What time and the ledger say, new files, answers of vouch-ship.
  Status tick();
  // When tick() has something to do even if nothing happens.
  [[nodiscard]] std::optional<WallMs> next_wake() const;

  // Queues a test; its number. Errc::not_found: no such channel.
  Result<std::int64_t> send_test(std::string_view channel);
  // For `vouch status` and `vouch alert list`.
  [[nodiscard]] json::Value summary();
  Result<json::Value> list(std::int64_t at_most);

 private:
  struct Said {
    std::vector<alerts::Alert> alerts;
    std::vector<alerts::Change> changes;
  };
  Status refresh();
  Result<Said> advance(const std::vector<alerts::Report>& reports);
  Status store(const Said& said);                           // Within a transaction.
  Status step(const std::vector<alerts::Report>& reports);  // Both, in one of its own.
  std::vector<alerts::Report> reports_of(const Record& record);
  void add_observation(const Observation& observation, std::vector<alerts::Report>& reports);
  Result<std::vector<alerts::Report>> reports_of_ledger();
  Status tend_waiting();
  Status write_file(const AlertOnRecord& waiting);
  Result<bool> take_answer(const AlertOnRecord& waiting);  // True: it was sent.
  Status drop_if_old(const AlertOnRecord& waiting);
  [[nodiscard]] std::string path_of(std::int64_t n) const;

  State& state_;
  const Clock& clock_;
  AlertLedger ledger_;
  AlertingOptions options_;
  alerts::Rules rules_;
  AlertContext context_;
  alerts::State memory_;
  std::int64_t generation_ = -1;             // Of memory_; -1: it must be read.
  std::map<std::string, std::string> seen_;  // Digests of what was reported of a collector last.
  std::int64_t written_ = 0;                 // Files up to this number were written.
  std::optional<WallMs> wake_;
  WallMs pruned_ = 0;
};

}  // namespace vouch::agent
