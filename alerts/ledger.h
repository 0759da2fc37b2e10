// SPDX-License-Identifier: Apache-2.0
// Alerts in a database, the agent's ledger or the store's own (docs/formats/alert.md): what the
// engine remembers, the alerts that wait to be delivered, and what became of the others. Each call
// belongs into a transaction of that database.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "alerts/alert.h"
#include "alerts/state.h"
#include "core/clock.h"
#include "core/result.h"
#include "core/sqlite.h"

namespace vouch::alerts {

inline constexpr std::int64_t kAlertsWaitingMax = 1000;
inline constexpr std::int64_t kAlertsOnRecordMax = 10'000;
inline constexpr WallMs kAlertsOnRecordMs = WallMs{400} * 86'400'000;

struct AlertOnRecord {
  std::int64_t n = 0;
  std::string channel;
  std::string type;
  std::string summary;  // Status and title of the first condition, and how many more.
  std::string state;    // waiting, sent, dropped
  WallMs made = 0;
  WallMs sent = 0;
  WallMs failed = 0;    // The last try that failed.
  std::string message;  // Why.
};

class Ledger {
 public:
  // Makes the tables if they are missing.
  static Result<Ledger> open(sqlite::Database& database);

  // Counts the changes of the engine's state: a transaction that was undone shows in it.
  Result<std::int64_t> generation();
  Status load(State& state);
  Status save(const std::vector<Change>& changes, std::int64_t generation);

  // Gives the alert its number.
  Status add(Alert alert);
  Result<std::int64_t> count_waiting();
  Result<std::vector<AlertOnRecord>> waiting();                     // By number.
  Result<std::vector<AlertOnRecord>> latest(std::int64_t at_most);  // The newest first.
  Result<std::string> text(std::int64_t n);                         // Of one that waits.
  Status set_sent(std::int64_t n, WallMs at);
  Status set_failed(std::int64_t n, WallMs at, std::string_view message);
  Status set_dropped(std::int64_t n);
  // Forgets what is done with and too old or too much.
  Status prune(WallMs now);

 private:
  explicit Ledger(sqlite::Database& database) : database_(&database) {}
  Result<std::vector<AlertOnRecord>> list(sqlite::Statement statement);
  sqlite::Database* database_;
};

}  // namespace vouch::alerts
