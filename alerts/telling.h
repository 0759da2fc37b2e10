// SPDX-License-Identifier: Apache-2.0
// Who is told what: rules, groups, repeats. Part of the engine; use engine.h.
#pragma once

#include <optional>

#include "alerts/limiter.h"
#include "alerts/rules.h"
#include "alerts/state.h"

namespace vouch::alerts {

void tell(const Rules& rules, const Sender& sender, State& state, WallMs now, Limiter& limiter);
std::optional<WallMs> next_telling(const Rules& rules, const State& state);

}  // namespace vouch::alerts
