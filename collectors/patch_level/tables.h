// SPDX-License-Identifier: Apache-2.0
// The functions behind patch_level's tables: from the files of a host to rows. The columns are
// declared in patch_level.cc, in the order of the cells here.
#pragma once

#include "core/result.h"

namespace vouch::sdk {
class Context;
class Rows;
}  // namespace vouch::sdk

namespace vouch::patch_level {

// host_tables.cc
Status collect_os_version(sdk::Context& context, sdk::Rows& rows);
Status collect_deb_packages(sdk::Context& context, sdk::Rows& rows);
Status collect_kernel(sdk::Context& context, sdk::Rows& rows);
Status collect_reboot_status(sdk::Context& context, sdk::Rows& rows);
Status collect_cpu_vulnerabilities(sdk::Context& context, sdk::Rows& rows);

// apt_tables.cc
Status collect_apt_sources(sdk::Context& context, sdk::Rows& rows);
Status collect_package_lists(sdk::Context& context, sdk::Rows& rows);
Status collect_apt_config(sdk::Context& context, sdk::Rows& rows);
Status collect_apt_pins(sdk::Context& context, sdk::Rows& rows);

// update_tables.cc
Status collect_package_updates(sdk::Context& context, sdk::Rows& rows);
Status collect_withheld_updates(sdk::Context& context, sdk::Rows& rows);
Status collect_package_origins(sdk::Context& context, sdk::Rows& rows);
Status collect_update_ages(sdk::Context& context, sdk::Rows& rows);
Status collect_applied_updates(sdk::Context& context, sdk::Rows& rows);

Status collect_repository_keys(sdk::Context& context, sdk::Rows& rows);  // key_table.cc

// advisory_table.cc
Status collect_vulnerabilities(sdk::Context& context, sdk::Rows& rows);
Status collect_advisory_feeds(sdk::Context& context, sdk::Rows& rows);

// history_tables.cc
Status collect_package_changes(sdk::Context& context, sdk::Rows& rows);
Status collect_automatic_updates(sdk::Context& context, sdk::Rows& rows);

}  // namespace vouch::patch_level
