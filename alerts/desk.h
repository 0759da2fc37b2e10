// SPDX-License-Identifier: Apache-2.0
// Where alerts are made and wait (docs/alerts.md): the engine with its memory in a database, the
// alerts as files for a courier, and what the courier answers. The agent has one for its host, the
// store one for the fleet; what is reported, and when, is theirs.
//
// Of one thread. The engine's memory is stored in the transaction that stores its alerts; the file
// follows, so that a crash in between loses none and doubles none.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerts/engine.h"
#include "alerts/ledger.h"
#include "alerts/rules.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "core/sqlite.h"

namespace vouch::alerts {

struct DeskPlaces {
  std::string outbox;   // Alerts are <outbox>/alerts/<n>.json, written by way of <outbox>/tmp.
  std::string answers;  // The courier's <n>.alert.json.
  uid_t courier = 0;    // Who may own what is in `answers`, besides ourselves.
};

class Desk {
 public:
  // Runs its argument within a transaction of the database.
  using Transaction = std::function<Status(const std::function<Status()>& body)>;

  // `database` and `clock` must outlive it. Makes <outbox>/alerts.
  static Result<Desk> open(sqlite::Database& database, Transaction transaction, const Clock& clock,
                           Rules rules, Sender sender, DeskPlaces places);

  [[nodiscard]] const Rules& rules() const { return rules_; }
  // What the engine remembers, once it was refreshed. A transaction that was undone, or another
  // desk on this database, leaves a memory that is not what is stored: then it is read again, and
  // `true` is returned.
  Result<bool> refresh();
  [[nodiscard]] const State& memory() const { return memory_; }

  // Tells the engine, within a transaction of the caller.
  Status report(const std::vector<Report>& reports);
  // The same in a transaction of its own, if there is anything to store.
  Status step(const std::vector<Report>& reports);
  // Makes the files what the database says: to be called at a start.
  Status sweep();
  // Writes new files, takes answers, gives up what is too old, forgets what is done with.
  Status tend();
  // When step() has something to do even if nothing is reported.
  [[nodiscard]] std::optional<WallMs> next_wake() const { return wake_; }

  // Queues a test; its number. Errc::not_found: no such channel.
  Result<std::int64_t> send_test(std::string_view channel);
  // For people: how many fire and wait; what fires, and the latest alerts.
  [[nodiscard]] json::Value summary();
  Result<json::Value> list(std::int64_t at_most);

 private:
  struct Said {
    std::vector<Alert> alerts;
    std::vector<Change> changes;
  };
  Desk(Transaction transaction, const Clock& clock, Ledger ledger, Rules rules, Sender sender,
       DeskPlaces places)
      : transaction_(std::move(transaction)),
        clock_(&clock),
        ledger_(std::move(ledger)),
        rules_(std::move(rules)),
        sender_(std::move(sender)),
        places_(std::move(places)) {}
  Result<Said> advance(const std::vector<Report>& reports);
  Status store(const Said& said);
  Status write_file(const AlertOnRecord& waiting);
  Result<bool> take_answer(const AlertOnRecord& waiting);  // True: it was sent.
  Status drop_if_old(const AlertOnRecord& waiting);
  [[nodiscard]] std::string path_of(std::int64_t n) const;

  Transaction transaction_;
  const Clock* clock_;
  Ledger ledger_;
  Rules rules_;
  Sender sender_;
  DeskPlaces places_;
  State memory_;
  std::int64_t generation_ = -1;  // Of memory_; -1: it must be read.
  std::int64_t written_ = 0;      // Files up to this number were written.
  std::optional<WallMs> wake_;
  WallMs pruned_ = 0;
};

}  // namespace vouch::alerts
