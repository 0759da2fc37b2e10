// SPDX-License-Identifier: Apache-2.0
// What a reader of `vouch check` can do about checks that could not be judged.
#pragma once

#include <string>
#include <vector>

#include "core/text_table.h"
#include "proto/outcomes.h"

namespace vouch::cli {

// A paragraph for each cause that somebody here can remove: no state is approved to compare with,
// no register is kept. Empty if there is none.
std::string hints_as_text(const std::vector<Outcome>& outcomes, const TerminalStyle& style);

}  // namespace vouch::cli
