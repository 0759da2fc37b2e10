// SPDX-License-Identifier: Apache-2.0
// The collector patch_level: what is installed, what could be newer, where it comes from, and
// whether what runs is what is installed. Reads files only; runs nothing, refreshes nothing.
#pragma once

#include "collectors/sdk/manifest.h"

namespace vouch::patch_level {

sdk::Collector make_patch_level();

}  // namespace vouch::patch_level
