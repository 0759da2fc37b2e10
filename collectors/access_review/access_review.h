// SPDX-License-Identifier: Apache-2.0
// The collector access_review: who can get in, and as whom (docs/collectors/tables.md).
//
// As a plain user /etc/shadow and /etc/sudoers cannot be read: their tables are errors, and `users`
// has the gap `/etc/shadow`, since its can_login then says only what the shell allows.
#pragma once

#include "collectors/sdk/manifest.h"

namespace vouch::access {

sdk::Collector make_access_review();

// One table each; make_access_review() puts them together.
sdk::Table users_table();
sdk::Table groups_table();
sdk::Table user_groups_table();
sdk::Table shadow_table();
sdk::Table sudo_rules_table();
sdk::Table sudo_defaults_table();
sdk::Table sudo_files_table();
sdk::Table authorized_keys_table();
sdk::Table last_logins_table();
sdk::Table login_defs_table();
sdk::Table user_homes_table();
sdk::Table user_dot_files_table();
sdk::Table useradd_defaults_table();
sdk::Table shell_settings_table();
sdk::Table failed_logins_table();
sdk::Table login_lockouts_table();
sdk::Table logged_in_users_table();
sdk::Table access_rules_table();
sdk::Table polkit_rules_table();
sdk::Table trusted_user_ca_keys_table();
sdk::Table pam_rules_table();
sdk::Table pam_settings_table();
sdk::Table sshd_connections_table();
sdk::Table sshd_match_settings_table();
sdk::Table directory_services_table();

}  // namespace vouch::access
