// SPDX-License-Identifier: Apache-2.0
// What the agent does when its store lost something (docs/formats/parcel.md, succession.md): refill
// it from the kept parcels, and follow its log to the next one. Both are on record; what was
// acknowledged stays acknowledged, and nothing is deleted for an unsigned word.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agent/vouchd/state.h"
#include "core/clock.h"
#include "core/result.h"

namespace vouch::agent {

// The store expects a bundle that it has acknowledged before. Kept parcels from `expected_seq` on
// wait again, the same bytes, and `store-rollback` is recorded: once for each (origin,
// expected_seq), since nobody signed that word. False if that was done before.
Result<bool> refill_store(State& state, WallMs now, std::int64_t expected_seq);

enum class Following {
  followed,    // The policy file names the new log now.
  not_for_us,  // It ends another log than ours.
  refused,     // A signature is missing or bad, or the end contradicts what was accepted.
};
// Follows a succession note (docs/formats/succession.md): `log-succession`, and where the old log
// ended below what was accepted also `store-rollback`, with a refill.
Result<Following> follow_succession(State& state, WallMs now, std::string_view note);

// The text of a policy file with another key in its `log` line, and nothing else changed.
Result<std::string> with_log(std::string_view policy, const std::string& vkey);

}  // namespace vouch::agent
