// SPDX-License-Identifier: Apache-2.0
// The log of unattended-upgrades: what each run did. Its unit's result says little, since errors
// of the tool are swallowed by the script that starts it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/patch_level/local_time.h"

namespace vouch::patch_level {

struct AutomaticRun {
  WallSeconds started = 0;
  std::optional<WallSeconds> ended;  // Of its last line, if it got to an end.
  std::string result;                // "ok", "failed"; "incomplete": no end is in the log.
  std::int64_t packages = 0;         // That were to be upgraded.
  std::string message;               // The first error; empty: none.
};

// Never fails; lines before the first start of a run are passed over.
std::vector<AutomaticRun> parse_unattended_log(std::string_view text, const LocalTime& zone,
                                               WallSeconds since);

}  // namespace vouch::patch_level
