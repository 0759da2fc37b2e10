// SPDX-License-Identifier: Apache-2.0
// Blobs of waiting bundles that are lost on the agent's disk, in the ledger: noted when a parcel is
// written without them, forgotten when they are there again (a run yielded the same bytes), and
// after a time given up: a `spool-drop` record, and a drop notice for the store (give_up_lost()).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/sqlite.h"

namespace vouch::agent {

class State;

// How long a lost blob may come back.
inline constexpr WallMs kLostMsMax = WallMs{3600} * 1000;

class LostBlobs {
 public:
  explicit LostBlobs(sqlite::Database& database) : database_(database) {}

  Status note(std::int64_t seq, std::string_view sha256);
  Status forget(std::int64_t seq, std::string_view sha256);
  // `since`: when give_up_lost() first saw it; 0: not yet.
  struct Entry {
    std::string sha256;
    WallMs since = 0;
  };
  Result<std::map<std::int64_t, std::vector<Entry>>> list();
  Status set_since(std::int64_t seq, WallMs since);
  // The bundle does without: its parcel no longer has the blob, and no earlier one counts as having
  // sent it.
  Status give_up(std::int64_t seq, std::string_view sha256);
  // The drop notice of a bundle, as signed; nothing if there is none.
  Result<std::optional<std::string>> notice(std::int64_t seq);
  Status set_notice(std::int64_t seq, std::string_view notice);

 private:
  sqlite::Database& database_;
};

// Looks at all that is lost: writes the parcels anew whose blobs are back, and gives up those that
// stayed away for kLostMsMax. Returns how many records it made.
Result<int> give_up_lost(State& state, WallMs now);

// Files follow the ledger: the notices of waiting bundles are in outbox/drops, no other is.
Status repair_notices(State& state);

}  // namespace vouch::agent
