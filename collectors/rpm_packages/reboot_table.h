// SPDX-License-Identifier: Apache-2.0
// Packages whose new version is in use only after a reboot, installed since the last one.
#pragma once

#include <optional>
#include <string_view>

#include "collectors/sdk/manifest.h"
#include "core/clock.h"

namespace vouch::rpm_packages {

// Those that `dnf needs-restarting --reboothint` looks at.
bool needs_reboot(std::string_view package);

// When the kernel was started, from the text of /proc/stat; nothing if it does not say.
std::optional<WallSeconds> boot_time(std::string_view stat);

sdk::Table reboot_table();

}  // namespace vouch::rpm_packages
