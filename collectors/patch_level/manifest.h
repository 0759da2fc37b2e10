// SPDX-License-Identifier: Apache-2.0
// The declarations of patch_level's tables beyond the basic ones, which patch_level.cc has.
#pragma once

#include <vector>

#include "collectors/sdk/manifest.h"

namespace vouch::patch_level {

std::vector<sdk::Table> update_tables();   // What waits, since when, from where.
std::vector<sdk::Table> history_tables();  // What was done.

}  // namespace vouch::patch_level
