// SPDX-License-Identifier: Apache-2.0
// The collector kernel_rules: audit rules and firewall chains as the kernel has them
// (docs/collectors/tables.md). The kernel tells them only to who could change them, so it is off by
// default, and apart from config_drift, which reads every file (docs/privileges.md).
#pragma once

#include "collectors/sdk/manifest.h"

namespace vouch::kernel_rules {

sdk::Collector make_kernel_rules();

}  // namespace vouch::kernel_rules
