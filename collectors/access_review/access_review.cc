// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/access_review.h"

namespace vouch::access {

sdk::Collector make_access_review() {
  sdk::Collector collector;
  collector.name = "access_review";
  collector.title = "Accounts, groups, passwords' age, sudo rules, SSH keys and last logins";
  collector.interval_s = 3600;
  collector.deadline_s = 60;
  collector.options = {
      {"service_accounts", sdk::OptionType::texts,
       "Patterns of names that belong to services, whatever their number; none"},
      {"human_accounts", sdk::OptionType::texts,
       "Patterns of names that belong to people, whatever their number; none"},
      {"privileged_groups", sdk::OptionType::texts,
       "Groups of a directory whose members are asked for by name, beside those that sudo and sshd "
       "name and the usual ones; none"},
      {"failed_login_days", sdk::OptionType::integer,
       "Days whose failed logins are counted, today among them; 7"},
  };
  collector.tables = {users_table(),
                      groups_table(),
                      user_groups_table(),
                      shadow_table(),
                      sudo_rules_table(),
                      sudo_defaults_table(),
                      sudo_files_table(),
                      authorized_keys_table(),
                      last_logins_table(),
                      logged_in_users_table(),
                      login_defs_table(),
                      user_homes_table(),
                      user_dot_files_table(),
                      useradd_defaults_table(),
                      shell_settings_table(),
                      failed_logins_table(),
                      login_lockouts_table(),
                      access_rules_table(),
                      polkit_rules_table(),
                      trusted_user_ca_keys_table(),
                      pam_rules_table(),
                      pam_settings_table(),
                      sshd_connections_table(),
                      sshd_match_settings_table(),
                      directory_services_table()};
  return collector;
}

}  // namespace vouch::access
