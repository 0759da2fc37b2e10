// SPDX-License-Identifier: Apache-2.0
// Packages of RPM systems, read from their database by librpm. A collector of its own, so that no
// other one links librpm and what it brings.
#pragma once

#include "collectors/sdk/manifest.h"

namespace vouch::rpm_packages {

sdk::Collector make_rpm_packages();

}  // namespace vouch::rpm_packages
