// SPDX-License-Identifier: Apache-2.0
// The collector config_drift: how the host is configured, on disk and in effect
// (docs/collectors/tables.md).
#pragma once

#include "collectors/sdk/manifest.h"

namespace vouch::drift {

sdk::Collector make_config_drift();

// Options of file_hashes: `paths` in place of the default, `extra_paths` besides it,
// `exclude` (paths and all below), `file_bytes_max` (larger files are gaps).
std::vector<sdk::Option> file_hashes_options();

// Option of certificates: `certificate_paths` in place of the default.
sdk::Option certificates_option();

// One table each; make_config_drift() puts them together.
sdk::Table file_hashes_table();
sdk::Table sshd_effective_config_table();
sdk::Table system_controls_table();
sdk::Table systemd_units_table();
sdk::Table scheduled_jobs_table();
sdk::Table mounts_table();
sdk::Table mount_usage_table();
sdk::Table memory_usage_table();
sdk::Table listening_ports_table();
sdk::Table kernel_modules_table();
sdk::Table certificates_table();
sdk::Table audit_rules_table();
sdk::Table log_settings_table();
sdk::Table log_targets_table();
sdk::Table log_rotations_table();
sdk::Table log_files_table();
sdk::Table time_sources_table();
sdk::Table malware_signatures_table();
sdk::Table firewall_chains_table();
sdk::Table apparmor_profiles_table();
sdk::Table selinux_settings_table();
sdk::Table boot_loaders_table();
sdk::Table block_devices_table();
sdk::Table boot_parameters_table();
sdk::Table core_dump_settings_table();
sdk::Table file_attributes_table();

}  // namespace vouch::drift
