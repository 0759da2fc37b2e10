// SPDX-License-Identifier: Apache-2.0
// A store's directory, opened: everything that serving or importing needs, wired together. One
// process at a time has it open.
#pragma once

#include <memory>
#include <string>

#include "core/clock.h"
#include "core/file.h"
#include "core/result.h"
#include "proto/note.h"
#include "store/api.h"
#include "store/bounds.h"
#include "store/caretaker.h"
#include "store/committer.h"
#include "store/disk.h"
#include "store/filer.h"
#include "store/import.h"
#include "store/index.h"
#include "store/index_readers.h"
#include "store/receipts.h"
#include "store/settings.h"
#include "store/tree_log.h"

namespace vouch {
class SigningKey;
}

namespace vouch::store {

struct StoreOptions {
  Quota quota;
  StepHook hook;                 // For crash tests.
  bool timer = true;             // Silence is noted and orders are carried out without being asked.
  std::string alert_rules = {};  // The rule file of the fleet's alerts; empty: nobody is alerted.
};

class Store {
 public:
  // Makes a new store in `dir`, which must be empty or not there: keys, CA and certificate, log,
  // index, the account `local`.
  static Status init(const std::string& dir, const Settings& settings, const Clock& clock);
  // Mends what a crash left, and publishes the head of the log. Errc::exists if another process has
  // it open; Errc::corrupt if the log must not be continued. `clock` must outlive it.
  static Result<std::unique_ptr<Store>> open(const std::string& dir, const Clock& clock,
                                             StoreOptions options = {});
  ~Store();

  Handler& handler();
  [[nodiscard]] const Settings& settings() const;
  // What the timer does by itself: silence, orders, alerts.
  Status tend();
  Result<OrderAnswer> carry_out(const Order& order);
  // See store/import.h.
  Result<ImportCounts> import(const std::string& parcels, const RefusalSink& sink);
  // Ends what is queued; after this no request gets more than `busy`. Call it before the listener
  // goes.
  void stop();

  struct Parts;
  explicit Store(std::unique_ptr<Parts> parts);  // For open().

 private:
  std::unique_ptr<Parts> parts_;
};

// Renews the server's certificate when it nears its end, or `settings.host` changed. For stores
// with a CA of their own; else it does nothing.
Status renew_certificate(const std::string& dir, const Settings& settings, const Clock& clock);

// Held by the one process that may change the store. Errc::exists if another has it.
Result<Fd> lock_directory(const std::string& dir);

// Without opening the log: for commands that run beside a serving store.
Result<Settings> read_settings(const std::string& dir);
Result<note::VerifierKey> read_vkey(const std::string& dir);
// The policy file that agents of this store get.
std::string policy_text(const note::VerifierKey& vkey, const Settings& settings);

}  // namespace vouch::store
