// SPDX-License-Identifier: Apache-2.0
// The tables of PAM: pam_rules, pam_settings.
#include <string>

#include "collectors/access_review/access_review.h"
#include "collectors/access_review/file_token.h"
#include "collectors/access_review/pam_on_host.h"
#include "collectors/sdk/context.h"

namespace vouch::access {
namespace {

using sdk::Context;
using sdk::Rows;

constexpr std::string_view kReadAll = "CAP_DAC_READ_SEARCH";

// A module of one of the usual directories by its name, one from elsewhere by its path.
std::string_view shown_module(const PamEntry& entry) {
  const std::string_view path = entry.module;
  const std::string_view name = pam_module_name(path);
  const std::string_view directory = path.substr(0, path.size() - name.size());
  return directory.ends_with("/security/") && directory.find("lib") <= 5 ? name : path;
}

// Calls `add` for each entry of each stack; the gaps come after the rows.
template <typename Add>
Status collect_entries(Context& context, Rows& rows, std::string_view version, Add add) {
  auto config = PamConfig::open(context.root());
  if (!config) return config.error();
  if (rows.unchanged(file_token(context.root(), version, config->inputs()))) return Ok{};
  PamGaps gaps;
  for (const auto& [service, stacks] : config->resolve(gaps)) {
    for (const auto& [facility, stack] : stacks) {
      int position = 0;
      for (const PamEntry& entry : stack) add(*config, service, facility, ++position, entry, gaps);
    }
  }
  for (const auto& [object, error] : gaps) rows.gap(object, error);
  return Ok{};
}

Status collect_rules(Context& context, Rows& rows) {
  return collect_entries(
      context, rows, "pam_rules 1",
      [&rows](PamConfig&, const std::string& service, const std::string& facility, int position,
              const PamEntry& entry, PamGaps&) {
        const bool is_module = entry.kind == PamEntry::Kind::module;
        rows.add({service, facility, position, entry.control, shown_module(entry),
                  shown_pam_arguments(pam_module_name(entry.module), entry.arguments),
                  entry.mandatory, is_module ? sdk::Cell(entry.installed) : sdk::Cell(nullptr),
                  entry.level, entry.source, entry.line});
      });
}

Status collect_settings(Context& context, Rows& rows) {
  return collect_entries(
      context, rows, "pam_settings 1",
      [&rows](PamConfig& config, const std::string& service, const std::string& facility,
              int position, const PamEntry& entry, PamGaps& gaps) {
        const std::string_view module = pam_module_name(entry.module);
        if (entry.kind != PamEntry::Kind::module || !has_pam_settings(module)) return;
        for (const auto& [name, setting] : config.settings(entry, gaps)) {
          rows.add({service, facility, position, name, module,
                    shown_pam_value(module, name, setting.value), setting.source});
        }
      });
}

}  // namespace

sdk::Table pam_rules_table() {
  return {.name = "pam_rules",
          .title = "PAM stacks, includes resolved",
          .columns = {sdk::text("service", "Service, or a file that others include").key(),
                      sdk::text("facility", "auth, account, password, session").key(),
                      sdk::integer("position", "From 1").key(),
                      sdk::text("control", "As written; substack, include where one is broken"),
                      sdk::text("module", "Name; the path of one from elsewhere; what is included"),
                      sdk::bytes("arguments", "Without secrets; white space inside in brackets"),
                      sdk::boolean("mandatory", "Who is not root cannot get through if it fails"),
                      sdk::boolean("installed", "The module is there").nullable("no module"),
                      sdk::integer("level", "Substacks around it"), sdk::bytes("source", "File"),
                      sdk::integer("line", "Line in it")},
          .capabilities = {kReadAll},
          .collect = collect_rules};
}

sdk::Table pam_settings_table() {
  return {
      .name = "pam_settings",
      .title = "Settings of PAM modules for passwords, lockout and second factors",
      .columns = {sdk::text("service", "Service").key(), sdk::text("facility", "Facility").key(),
                  sdk::integer("position", "As in pam_rules").key(),
                  sdk::text("name", "Setting").key(), sdk::text("module", "Module"),
                  sdk::bytes("value", "Empty where the name alone is the setting"),
                  sdk::bytes("source", "The file that sets it")},
      .capabilities = {kReadAll},
      .collect = collect_settings};
}

}  // namespace vouch::access
