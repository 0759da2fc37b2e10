// SPDX-License-Identifier: Apache-2.0
#include "collectors/rpm_packages/update_tables.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

#include "collectors/rpm_packages/age_tables.h"
#include "collectors/rpm_packages/cached_metadata.h"
#include "collectors/rpm_packages/ini_file.h"
#include "collectors/rpm_packages/update_reading.h"
#include "collectors/sdk/context.h"

namespace vouch::rpm_packages {
namespace {

using sdk::Cell;
using sdk::Context;
using sdk::Rows;

constexpr std::size_t kFileBytesMax = std::size_t{1} << 20;

Status collect_found(Context& context, Rows& rows, bool is_withheld) {
  const auto token = updates_token(context);
  if (!token) return token.error();
  if (!token->empty() && rows.unchanged(*token)) return Ok{};
  const auto& updates = updates_of(context);
  if (!updates) return updates.error();
  for (const auto& [object, error] : updates->gaps) rows.gap(object, error);
  const auto& found = updates->found;
  for (const RpmUpdate& update : is_withheld ? found.withheld : found.updates) {
    std::vector<Cell> cells = {update.name,
                               update.arch,
                               update.installed_version,
                               update.candidate_version,
                               update.repository,
                               update.is_security,
                               update.advisories,
                               update.severity.empty() ? Cell(nullptr) : Cell(update.severity)};
    if (is_withheld) cells.emplace_back(update.reason);
    rows.add(cells);
  }
  return Ok{};
}

Status collect_repositories(Context& context, Rows& rows) {
  const auto& config = config_of(context);
  if (!config) return config.error();
  for (const auto& [object, error] : config->gaps) rows.gap(object, error);
  for (const Repository& one : config->repositories) {
    rows.add({one.source, one.id, one.name, one.address, one.enabled, one.gpgcheck,
              one.repo_gpgcheck, one.sslverify, one.keys, one.priority});
  }
  return Ok{};
}

Status collect_metadata(Context& context, Rows& rows) {
  const auto& config = config_of(context);
  if (!config) return config.error();
  for (const auto& [object, error] : config->gaps) rows.gap(object, error);
  const MetadataCache cache(context.root(), *config);
  for (const Repository& repository : config->repositories) {
    if (!repository.enabled) continue;
    const auto cached = cache.read(repository);
    if (cached) {
      rows.add({repository.id, cached->repomd.made, cached->fetched});
    } else if (cached.error().code == Errc::not_found) {
      rows.add({repository.id, nullptr, nullptr});
    } else {
      rows.gap(repository.id, cached.error());
    }
  }
  return Ok{};
}

// Others may hold passwords.
bool is_told(std::string_view section, std::string_view name) {
  constexpr std::array<std::string_view, 17> kMain = {
      "gpgcheck",          "pkg_gpgcheck", "localpkg_gpgcheck", "repo_gpgcheck",
      "sslverify",         "best",         "excludepkgs",       "exclude",
      "includepkgs",       "reposdir",     "metadata_expire",   "skip_if_unavailable",
      "installonly_limit", "plugins",      "tsflags",           "obsoletes",
      "cachedir"};
  constexpr std::array<std::string_view, 7> kCommands = {
      "upgrade_type", "download_updates",       "apply_updates", "reboot",
      "random_sleep", "network_online_timeout", "emit_via"};
  const auto is_in = [&](const auto& names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (section == "main") return is_in(kMain);
  return (section == "commands" || section == "emitters") && is_in(kCommands);
}

Status collect_settings(Context& context, Rows& rows) {
  const auto& config = config_of(context);
  if (!config) return config.error();
  for (const auto& [object, error] : config->gaps) rows.gap(object, error);
  for (const auto& [name, value] : config->main) {
    if (is_told("main", name)) rows.add({"main", name, value});
  }
  // dnf5 reads the vendor's file first.
  std::map<std::pair<std::string, std::string>, std::string> automatic;
  for (const char* path : {"/usr/share/dnf5/dnf5-plugins/automatic.conf",
                           "/etc/dnf/dnf5-plugins/automatic.conf", "/etc/dnf/automatic.conf"}) {
    const auto text = context.root().read(path, kFileBytesMax);
    if (!text && text.error().code != Errc::not_found) rows.gap(path, text.error());
    for (const IniSection& section : parse_ini(text.value_or("")).sections) {
      for (const auto& [name, value] : section.values) {
        if (section.name != "main") automatic[{section.name, name}] = value;
      }
    }
  }
  for (const auto& [key, value] : automatic) {
    if (is_told(key.first, key.second)) rows.add({key.first, key.second, value});
  }
  return Ok{};
}

std::vector<sdk::Column> update_columns() {
  return {sdk::text("name", "Package").key(),
          sdk::text("arch", "Architecture of the candidate").key(),
          sdk::text("installed_version", "Installed: [epoch:]version-release"),
          sdk::text("candidate_version", "Newest version that the repositories have"),
          sdk::text("repository", "Repository that has it"),
          sdk::boolean("security", "It, or a version before it, is in a security advisory"),
          sdk::text("advisories", "Those advisories, by commas"),
          sdk::text("severity", "Highest severity of them").nullable("none is given")};
}

std::vector<sdk::Table> found_tables() {
  auto withheld = update_columns();
  withheld.push_back(
      sdk::text("reason", "excludepkgs, includepkgs, versionlock, lock, priority, vendor"));
  return {
      {.name = "rpm_updates",
       .title = "Installed packages for which dnf or zypper has a newer version",
       .columns = update_columns(),
       .collect = [](Context& context, Rows& rows) { return collect_found(context, rows, false); }},
      {.name = "withheld_rpm_updates",
       .title = "Newer versions that the configuration keeps dnf or zypper from installing",
       .columns = std::move(withheld),
       .collect = [](Context& context, Rows& rows) { return collect_found(context, rows, true); }}};
}

std::vector<sdk::Table> repository_tables() {
  return {{.name = "rpm_repositories",
           .title = "Configured repositories and how they are authenticated",
           .columns = {sdk::bytes("source", "File").key(), sdk::text("id", "Repository").key(),
                       sdk::occurrence(), sdk::text("name", "Name, for people"),
                       sdk::text("address", "First of baseurl, mirrorlist, metalink; empty if none")
                           .redact(Redaction::url),
                       sdk::boolean("enabled", "In use"),
                       sdk::boolean("gpgcheck", "Its packages must be signed"),
                       sdk::boolean("repo_gpgcheck", "Its metadata must be signed"),
                       sdk::boolean("sslverify", "The server's certificate is checked"),
                       sdk::text("gpgkey", "Where its keys are, by blanks").redact(Redaction::url),
                       sdk::integer("priority", "A lower one hides packages of higher ones")},
           .collect = collect_repositories},
          {.name = "rpm_metadata",
           .title = "Age of the metadata of the enabled repositories",
           .columns = {sdk::text("id", "Repository").key(),
                       sdk::time("made", "When the repository made it")
                           .nullable("never fetched, or it does not say"),
                       sdk::time("fetched", "When it was last fetched or confirmed")
                           .nullable("never fetched")},
           .is_volatile = true,
           .collect = collect_metadata},
          {.name = "dnf_settings",
           .title = "Settings of dnf (or zypper) and dnf-automatic that say what is installed",
           .columns = {sdk::text("section", "main; commands, emitters of dnf-automatic").key(),
                       sdk::text("name", "Name").key(), sdk::text("value", "Value")},
           .collect = collect_settings}};
}

}  // namespace

std::vector<sdk::Table> update_tables() {
  auto tables = found_tables();
  for (auto make : {repository_tables, age_tables}) {
    for (sdk::Table& table : make()) tables.push_back(std::move(table));
  }
  return tables;
}

}  // namespace vouch::rpm_packages
