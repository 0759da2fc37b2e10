// SPDX-License-Identifier: Apache-2.0
// The table audit_rules: what the audit system will be told at the next boot. What it was told
// already is the table audit_loaded_rules of another collector, which needs a capability.
#include <string>

#include "collectors/config_drift/audit_rules.h"
#include "collectors/config_drift/config_drift.h"
#include "collectors/sdk/context.h"

namespace vouch::drift {
namespace {

using sdk::Context;
using sdk::Rows;

constexpr std::size_t kRulesBytesMax = 4 << 20;
constexpr std::string_view kDirectory = "/etc/audit/rules.d";

void read_rules(const Root& root, Rows& rows, const std::string& path) {
  const auto text = root.read(path, kRulesBytesMax);
  if (!text) {
    if (text.error().code != Errc::not_found) rows.gap(path, text.error());
    return;
  }
  const AuditRules found = parse_audit_rules(*text);
  for (const AuditRule& rule : found.rules) {
    rows.add(
        {path, rule.rule, rule.kind, rule.path, rule.permissions, rule.syscalls, rule.key_name});
  }
  for (const int line : found.faults) {
    rows.gap(path + ":" + std::to_string(line), {Errc::invalid, "is no audit rule"});
  }
}

Status collect(Context& context, Rows& rows) {
  read_rules(context.root(), rows, "/etc/audit/audit.rules");
  const auto names = context.root().list(kDirectory);
  if (!names) {
    if (names.error().code != Errc::not_found) rows.gap(kDirectory, names.error());
    return Ok{};
  }
  for (const std::string& name : *names) {
    if (name.ends_with(".rules"))
      read_rules(context.root(), rows, std::string(kDirectory) + "/" + name);
  }
  return Ok{};
}

}  // namespace

sdk::Table audit_rules_table() {
  return {.name = "audit_rules",
          .title = "Audit rules on disk: rules.d, and audit.rules, which is made of it",
          .columns = {sdk::bytes("source", "The file").key(),
                      sdk::text("rule", "In one spelling, much as `auditctl -l` prints it").key(),
                      sdk::occurrence(), sdk::text("kind", "watch, syscall, control"),
                      sdk::bytes("path", "Watched file or directory").nullable("no path"),
                      sdk::text("permissions", "Of a watch: out of rwxa"),
                      sdk::text("syscalls", "Sorted, by commas; all"),
                      sdk::text("key_name", "What its records are marked with")},
          .capabilities = {"CAP_DAC_READ_SEARCH"},
          .collect = collect};
}

}  // namespace vouch::drift
