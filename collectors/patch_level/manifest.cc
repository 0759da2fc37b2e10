// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/manifest.h"

#include "collectors/patch_level/tables.h"

namespace vouch::patch_level {
namespace {

constexpr std::string_view kNoSecurity = "no security update";

sdk::Table withheld_updates() {
  return {.name = "withheld_updates",
          .title = "Newer versions that a pin or a default release keeps apt from installing",
          .columns = {sdk::text("name", "Package").key(),
                      sdk::text("arch", "Architecture, as installed").key(),
                      sdk::text("installed_version", "Installed version"),
                      sdk::text("withheld_version", "What apt would install without any pin"),
                      sdk::text("origin", "Origin of the archives that have it"),
                      sdk::text("suite", "Suites that have it, separated by commas"),
                      sdk::boolean("security", "It, or a version before it, is a security update")},
          .collect = collect_withheld_updates};
}

sdk::Table package_origins() {
  return {.name = "package_origins",
          .title = "Which archive has each installed package, by the fetched lists",
          .columns = {sdk::text("name", "Package").key(), sdk::text("arch", "Architecture").key(),
                      sdk::text("version", "Installed version"),
                      sdk::boolean("listed", "An archive has exactly this version"),
                      sdk::text("origin", "Origin of those archives; empty if none has it"),
                      sdk::text("suite", "Their suites, separated by commas"),
                      sdk::text("component", "Their components, separated by commas"),
                      sdk::text("newest_listed", "Newest version that any archive has")
                          .nullable("no archive has the package")},
          .collect = collect_package_origins};
}

sdk::Table update_ages() {
  return {.name = "update_ages",
          .title = "Since when each installed version has lacked an update, as this host saw it",
          .columns = {sdk::text("name", "Package").key(),
                      sdk::text("arch", "Architecture, as installed").key(),
                      sdk::text("installed_version", "Installed version").key(),
                      sdk::time("pending_since", "First run that saw a newer version"),
                      sdk::time("security_since", "First run that saw a security update")
                          .nullable(kNoSecurity)},
          .collect = collect_update_ages};
}

sdk::Table applied_updates() {
  return {.name = "applied_updates",
          .title = "Updates that were seen pending and were installed since",
          .columns = {sdk::text("name", "Package").key(), sdk::text("arch", "Architecture").key(),
                      sdk::text("old_version", "Version before").key(),
                      sdk::time("applied", "First run that saw the new version").key(),
                      sdk::text("new_version", "Version after"),
                      sdk::time("pending_since", "First run that saw a newer version"),
                      sdk::time("security_since", "First run that saw a security update")
                          .nullable(kNoSecurity)},
          .collect = collect_applied_updates};
}

sdk::Table package_changes() {
  return {.name = "package_changes",
          .title = "Packages installed, upgraded and removed in the last weeks, by dpkg's log",
          .columns = {sdk::time("time", "When").key(), sdk::text("name", "Package").key(),
                      sdk::text("arch", "Architecture").key(),
                      sdk::text("action", "install, upgrade, downgrade, remove, purge").key(),
                      sdk::occurrence(),
                      sdk::text("old_version", "Version before").nullable("not installed before"),
                      sdk::text("new_version", "Version after").nullable("removed"),
                      sdk::text("initiator", "unattended-upgrades, apt, or dpkg called by hand"),
                      sdk::bytes("command", "Command line of apt")
                          .nullable("apt noted none, or was not used")
                          .redact(Redaction::command),
                      sdk::text("requested_by", "Who used sudo, with the uid")
                          .nullable("root itself, or apt was not used")
                          .personal()},
          .is_volatile = true,
          .collect = collect_package_changes};
}

sdk::Table automatic_updates() {
  return {.name = "automatic_updates",
          .title = "Runs of unattended-upgrades in the last weeks, by its log",
          .columns = {sdk::text("tool", "unattended-upgrades").key(),
                      sdk::time("started", "When it began").key(), sdk::occurrence(),
                      sdk::time("ended", "When it ended").nullable("its log has no end of it"),
                      sdk::text("result", "ok, failed, incomplete"),
                      sdk::integer("packages", "Packages that it set out to upgrade"),
                      sdk::text("message", "Its first error; empty if it met none")},
          .is_volatile = true,
          .collect = collect_automatic_updates};
}

sdk::Table apt_pins() {
  return {.name = "apt_pins",
          .title = "Pins of apt_preferences(5)",
          .columns = {sdk::bytes("source", "File").key(),
                      sdk::text("packages", "Names and patterns; * for all").key(),
                      sdk::text("pin", "What is pinned: version, release or origin, and its value")
                          .key()
                          .redact(Redaction::url),
                      sdk::occurrence(), sdk::integer("priority", "Pin-Priority; never is -32768")},
          .collect = collect_apt_pins};
}

sdk::Table repository_keys() {
  return {.name = "repository_keys",
          .title = "Keys in the keyrings that the enabled package sources are checked with",
          .columns = {sdk::bytes("keyring", "File").key(),
                      sdk::text("fingerprint", "Fingerprint of the key or subkey").key(),
                      sdk::occurrence(), sdk::boolean("is_primary", "No subkey"),
                      sdk::text("user_id", "Its first name; empty for a subkey"),
                      sdk::text("algorithm", "rsa, dsa, eddsa, ecdsa …"),
                      sdk::integer("bits", "Size").nullable("a curve, which has one size only"),
                      sdk::time("created", "When it was made"),
                      sdk::time("expires", "When it ends").nullable("never"),
                      sdk::boolean("revoked", "Its owner took it back")},
          .collect = collect_repository_keys};
}

sdk::Table vulnerabilities() {
  return {.name = "vulnerabilities",
          .title = "Known flaws of installed source packages, by the site's feeds of advisories",
          .columns = {sdk::text("source", "Source package").key(),
                      sdk::text("cve", "Name of the flaw, or of the advisory").key(),
                      sdk::bytes("feed", "File of the feed").key(),
                      sdk::text("installed_version", "Installed version of the source package"),
                      sdk::text("fixed_version", "First version without it")
                          .nullable("no fix is known to the feed"),
                      sdk::text("urgency", "The feed's word: low, medium, high …; empty: none"),
                      sdk::text("packages", "Installed packages of the source, by commas")},
          .collect = collect_vulnerabilities};
}

sdk::Table advisory_feeds() {
  return {.name = "advisory_feeds",
          .title = "The feeds of advisories and their age",
          .columns = {sdk::bytes("path", "File").key(), sdk::time("modified", "Last change"),
                      sdk::integer("bytes", "Size")},
          .is_volatile = true,
          .collect = collect_advisory_feeds};
}

sdk::Table cpu_vulnerabilities() {
  return {.name = "cpu_vulnerabilities",
          .title = "Flaws of the processor, by the running kernel",
          .columns = {sdk::text("name", "Flaw").key(),
                      sdk::text("status",
                                "The kernel's words: Not affected, Mitigation: … , "
                                "Vulnerable …")},
          .collect = collect_cpu_vulnerabilities};
}

}  // namespace

std::vector<sdk::Table> update_tables() {
  return {withheld_updates(), package_origins(), update_ages(),
          applied_updates(),  apt_pins(),        repository_keys()};
}

std::vector<sdk::Table> history_tables() {
  return {package_changes(), automatic_updates(), cpu_vulnerabilities(), vulnerabilities(),
          advisory_feeds()};
}

}  // namespace vouch::patch_level
