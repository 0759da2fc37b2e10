// SPDX-License-Identifier: Apache-2.0
// The tables of updates, repositories and settings of dnf and zypper.
#pragma once

#include <vector>

#include "collectors/sdk/manifest.h"

namespace vouch::rpm_packages {

std::vector<sdk::Table> update_tables();

}  // namespace vouch::rpm_packages
