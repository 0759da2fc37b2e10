// SPDX-License-Identifier: Apache-2.0
// What apt and dpkg say, put into the memory of pending updates.
#pragma once

#include <vector>

#include "collectors/facts/update_memory.h"
#include "collectors/patch_level/updates.h"
#include "core/clock.h"

namespace vouch::patch_level {

void observe(facts::UpdateMemory& memory, const std::vector<PackageUpdate>& updates,
             const DpkgStatus& status, WallSeconds now, bool is_whole);

}  // namespace vouch::patch_level
