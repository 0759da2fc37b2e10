// SPDX-License-Identifier: Apache-2.0
// What the log says of a host's silence and lateness, against what its chain promised
// (docs/formats/verifier.md, "Silence"). `next_due` of each bundle promises the next one; the store
// writes `overdue` when that does not come, `recovered` when it does after all, and `late` for what
// was long under way. Here each is computed again from the chain and the leaves' own times.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "proto/leaf.h"

namespace vouch::verify {

inline constexpr WallMs kSilenceMsMax = WallMs{3600} * 1000;        // Needs no overdue leaf.
inline constexpr WallMs kUnderWayMsMax = WallMs{24} * 3600 * 1000;  // Needs no late leaf.

template <class Body>
struct Noted {
  std::uint64_t index = 0;  // Of the leaf, in its log.
  std::uint64_t place = 0;  // Over all logs: what came before what.
  WallMs at = 0;
  Body leaf;
};

// What the log says of the arrival of one seq of one agent.
struct ArrivalNotes {
  std::vector<Noted<leaf::Overdue>> overdue;
  std::vector<Noted<leaf::Recovered>> recovered;
  std::vector<Noted<leaf::Late>> late;
};
using NotesBySeq = std::map<std::int64_t, ArrivalNotes>;

// A bundle that came.
struct Arrival {
  WallMs sealed = 0;
  WallMs at = 0;                   // Of its leaf.
  std::uint64_t place = 0;         // Of its leaf, over all logs.
  std::optional<WallMs> promised;  // next_due of the bundle before; none before seq 0.
  WallMs heard = 0;                // `at` of the leaf of the bundle before.
};

// What contradicts the promise; each is an anomaly. `log_end`: the time of the last leaf.
std::vector<std::string> check_arrival(const ArrivalNotes& notes, const Arrival& arrival,
                                       WallMs log_end);
// The same for the bundle that has not come. `heard`: when the log last heard of the host.
std::vector<std::string> check_absence(const ArrivalNotes& notes, std::optional<WallMs> promised,
                                       WallMs heard, WallMs log_end);

}  // namespace vouch::verify
