// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/config_drift.h"

namespace vouch::drift {

sdk::Collector make_config_drift() {
  sdk::Collector collector;
  collector.name = "config_drift";
  collector.title = "Files, sshd, kernel settings, units, mounts, ports and modules";
  collector.interval_s = 300;
  collector.deadline_s = 120;
  collector.options = file_hashes_options();
  collector.options.push_back(certificates_option());
  collector.needs_cache_dir = true;
  // The quick ones first: a slow disk costs its own table only.
  collector.tables = {sshd_effective_config_table(),
                      system_controls_table(),
                      systemd_units_table(),
                      scheduled_jobs_table(),
                      mounts_table(),
                      mount_usage_table(),
                      memory_usage_table(),
                      listening_ports_table(),
                      kernel_modules_table(),
                      certificates_table(),
                      audit_rules_table(),
                      log_settings_table(),
                      log_targets_table(),
                      log_rotations_table(),
                      log_files_table(),
                      firewall_chains_table(),
                      apparmor_profiles_table(),
                      selinux_settings_table(),
                      boot_loaders_table(),
                      malware_signatures_table(),
                      time_sources_table(),
                      block_devices_table(),
                      boot_parameters_table(),
                      core_dump_settings_table(),
                      file_attributes_table(),
                      file_hashes_table()};
  return collector;
}

}  // namespace vouch::drift
