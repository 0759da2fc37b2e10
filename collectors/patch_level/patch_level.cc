// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/patch_level.h"

#include <utility>

#include "collectors/patch_level/manifest.h"
#include "collectors/patch_level/tables.h"

namespace vouch::patch_level {
namespace {

sdk::Table os_version() {
  return {
      .name = "os_version",
      .title = "The release of the operating system and until when it is supported",
      .columns = {sdk::text("id", "ID of os-release(5)").key(), sdk::text("name", "Name"),
                  sdk::text("version", "Version, for people"),
                  sdk::text("version_id", "Version, for machines").nullable("a rolling release"),
                  sdk::text("codename", "Code name").nullable("none"),
                  sdk::time("support_end", "Last day of security updates for everybody")
                      .nullable("no date is known for this release"),
                  sdk::time("lts_end", "Last day of the long-term offer after it")
                      .nullable("no LTS known")},
      .collect = collect_os_version};
}

sdk::Table deb_packages() {
  return {.name = "deb_packages",
          .title = "Packages that dpkg knows",
          .columns = {sdk::text("name", "Package").key(), sdk::text("arch", "Architecture").key(),
                      sdk::text("version", "Version"), sdk::text("source", "Source package"),
                      sdk::text("source_version", "Version of the source package"),
                      sdk::text("status", "State: installed, half-configured, config-files …"),
                      sdk::boolean("held", "Kept at its version by an administrator"),
                      sdk::boolean("automatic", "Installed only because another one needs it")},
          .collect = collect_deb_packages};
}

sdk::Table package_updates() {
  return {.name = "package_updates",
          .title = "Installed packages for which apt has a newer version",
          .columns = {sdk::text("name", "Package").key(),
                      sdk::text("arch", "Architecture, as installed").key(),
                      sdk::text("installed_version", "Installed version"),
                      sdk::text("candidate_version", "Version that apt would install"),
                      sdk::text("origin", "Origin of the archives that have it"),
                      sdk::text("suite", "Suites that have it, separated by commas"),
                      sdk::boolean("security", "It, or a version before it, is a security update"),
                      sdk::boolean("held", "The package is on hold"),
                      sdk::integer("phased_percent", "Share of machines that get it already")
                          .nullable("the update is not phased")},
          .collect = collect_package_updates};
}

sdk::Table apt_sources() {
  return {
      .name = "apt_sources",
      .title = "Configured package sources and how they are authenticated",
      .columns = {sdk::bytes("source", "File").key(), sdk::text("types", "deb or deb-src").key(),
                  sdk::text("base_uri", "Address").key().redact(Redaction::url),
                  sdk::text("suite", "Suite").key(), sdk::occurrence(),
                  sdk::text("components", "Components, separated by commas"),
                  sdk::text("architectures", "Architectures, if limited"),
                  sdk::bytes("signed_by", "Keys that may sign").nullable("the default keyrings"),
                  sdk::boolean("trusted", "Used without any signature check"),
                  sdk::boolean("allow_insecure", "Used without a signature, with a warning"),
                  sdk::boolean("enabled", "In use"),
                  sdk::text("origin", "Origin in its Release file").nullable("no list fetched"),
                  sdk::boolean("signed", "Its Release file is signed").nullable("no list fetched")},
      .collect = collect_apt_sources};
}

sdk::Table package_lists() {
  return {.name = "package_lists",
          .title = "Age of the package lists",
          .columns = {sdk::text("base_uri", "Address").key().redact(Redaction::url),
                      sdk::text("suite", "Suite").key(),
                      sdk::time("release_date", "When the archive made it")
                          .nullable("none in the Release file"),
                      sdk::time("valid_until", "When it becomes stale")
                          .nullable("none in the Release file"),
                      sdk::time("fetched", "When it was last fetched or confirmed")},
          .is_volatile = true,
          .collect = collect_package_lists};
}

sdk::Table apt_config() {
  return {.name = "apt_config",
          .title = "Values set in apt's configuration files",
          .columns = {sdk::text("name", "Name; of a list's member with :: at its end").key(),
                      sdk::occurrence(), sdk::text("value", "Value").redact(Redaction::url)},
          .collect = collect_apt_config};
}

sdk::Table kernel() {
  return {
      .name = "kernel",
      .title = "Running and newest installed kernel",
      .columns = {sdk::text("running", "Release of the running kernel; empty for an image").key(),
                  sdk::text("newest_installed", "Release of the newest installed kernel")
                      .nullable("no kernel package"),
                  sdk::boolean("running_is_newest", "No newer kernel is installed")
                      .nullable("cannot be said: no kernel package, a container, or an image")},
      .collect = collect_kernel};
}

sdk::Table reboot_status() {
  return {.name = "reboot_status",
          .title = "Whether a reboot is pending",
          .columns = {sdk::text("source", "What says so: reboot-required, kernel").key(),
                      sdk::boolean("required", "A reboot is pending"),
                      sdk::text("reason", "Packages or kernels; empty if none is named")},
          .collect = collect_reboot_status};
}

}  // namespace

sdk::Collector make_patch_level() {
  sdk::Collector collector{
      .name = "patch_level",
      .title = "Installed packages, pending updates and their sources",
      .interval_s = 3600,
      .deadline_s = 30,
      .options = {{.name = "history_days",
                   .type = sdk::OptionType::integer,
                   .title = "Days of package_changes and automatic_updates, 1 to 400; 31"},
                  {.name = "advisories",
                   .type = sdk::OptionType::texts,
                   .title = "Files of advisories: Debian's security tracker, OSV; none"}},
      .needs_cache_dir = true,  // Since when updates have been pending.
      .tables = {os_version(), deb_packages(), package_updates(), apt_sources(), package_lists(),
                 apt_config(), kernel(), reboot_status()}};
  for (auto* more : {update_tables, history_tables}) {
    for (sdk::Table& table : more()) collector.tables.push_back(std::move(table));
  }
  return collector;
}

}  // namespace vouch::patch_level
