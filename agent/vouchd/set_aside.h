// SPDX-License-Identifier: Apache-2.0
// When a chain cannot go on: its state is moved aside, whole and undeleted, and the next identity
// of this host names it as its predecessor. <state_dir>/identity.json says who was here, for the
// day on which agent.db can no longer say it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/result.h"

namespace vouch::agent {

class State;

struct Resident {
  std::string agent;
  std::string machine;
  std::string predecessor;  // Of one that was never enrolled: whom to name in its place.
  std::string ended;        // Why its state was set aside; empty: it was not.

  bool operator==(const Resident&) const = default;
};

Result<std::optional<Resident>> read_resident(const std::string& state_dir);
// Does nothing if the file says so already.
Status write_resident(const std::string& state_dir, const Resident& resident);

// Moves ledger, keys, blobs, parcels and the store's address to <state_dir>/previous-<agent>. What
// waited there can still be delivered: vouch-ship --state <that directory>. A crash in between is
// made good by calling it again. Returns the directory.
Result<std::string> set_aside_state(const std::string& state_dir, const std::string& ended,
                                    WallMs now);

// State::open(); but a damaged ledger is set aside and a new chain begins, which an operator has to
// enrol. The daemon's way to go on collecting.
Result<std::unique_ptr<State>> open_or_replace_state(const std::string& state_dir,
                                                     const std::string& machine, WallMs now);

}  // namespace vouch::agent
