// SPDX-License-Identifier: Apache-2.0
// Since when updates of RPM packages have been pending, and how long those took that were
// installed since, as this host saw it: rpm and dnf do not keep it.
#pragma once

#include <vector>

#include "collectors/sdk/manifest.h"

namespace vouch::rpm_packages {

std::vector<sdk::Table> age_tables();

}  // namespace vouch::rpm_packages
