// SPDX-License-Identifier: Apache-2.0
// The table directory_services.
#include "collectors/access_review/access_review.h"
#include "collectors/access_review/directory_config.h"
#include "collectors/access_review/hidden_directories.h"
#include "collectors/sdk/context.h"

namespace vouch::access {
namespace {

Status collect(sdk::Context& context, sdk::Rows& rows) {
  tell_hidden_directories(context.root(), rows, {"/etc/sssd", "/etc/sssd/conf.d"});
  const DirectoryConfig config = read_directory_config(context.root());
  for (const auto& [path, error] : config.gaps) rows.gap(path, error);
  for (const DirectorySetting& setting : config.settings) {
    rows.add({setting.service, setting.section, setting.name, setting.value, setting.source});
  }
  return Ok{};
}

}  // namespace

sdk::Table directory_services_table() {
  return {.name = "directory_services",
          .title = "Directories that accounts come from, and how the host speaks to them",
          .columns = {sdk::text("service", "nsswitch, sssd, nslcd, ldap, krb5, winbind").key(),
                      sdk::text("section", "domain/NAME, realms/NAME; empty for none").key(),
                      sdk::text("name", "Setting, lower case").key(), sdk::occurrence(),
                      sdk::text("value", "As written; of a password only that it is there")
                          .redact(Redaction::url),
                      sdk::bytes("source", "File that has the last word")},
          .capabilities = {"CAP_DAC_READ_SEARCH"},
          .collect = collect};
}

}  // namespace vouch::access
