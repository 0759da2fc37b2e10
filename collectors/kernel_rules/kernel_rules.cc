// SPDX-License-Identifier: Apache-2.0
#include "collectors/kernel_rules/kernel_rules.h"

#include <algorithm>
#include <string>

#include "collectors/facts/lines.h"
#include "collectors/kernel_rules/loaded_audit.h"
#include "collectors/kernel_rules/loaded_firewall.h"
#include "collectors/sdk/context.h"

namespace vouch::kernel_rules {
namespace {

using sdk::Context;
using sdk::Rows;

constexpr std::size_t kNamesBytesMax = 64 << 10;

Status collect_rules(Context& context, Rows& rows) {
  if (!context.is_host()) return Error{Errc::unsupported, "an image has no kernel"};
  const auto rules = query_audit_rules();
  if (!rules) return rules.error();
  for (const drift::AuditRule& rule : *rules) {
    rows.add({rule.rule, rule.kind, rule.path, rule.permissions, rule.syscalls, rule.key_name});
  }
  return Ok{};
}

Status collect_status(Context& context, Rows& rows) {
  if (!context.is_host()) return Error{Errc::unsupported, "an image has no kernel"};
  const auto status = query_audit_status();
  if (!status) return status.error();
  rows.add({"enabled", status->enabled});
  rows.add({"failure", status->failure});
  rows.add({"rate_limit", status->rate_limit});
  rows.add({"backlog_limit", status->backlog_limit});
  rows.add({"daemon", status->has_daemon ? 1 : 0});
  return Ok{};
}

// Rules of the old iptables are no part of nf_tables, and the kernel names the tables that have
// some.
void note_legacy_tables(const Root& root, Rows& rows) {
  for (const std::string name : {"ip_tables_names", "ip6_tables_names"}) {
    const std::string path = "/proc/self/net/" + name;
    const auto text = root.read(path, kNamesBytesMax);
    if (!text && text.error().code != Errc::not_found) rows.gap(path, text.error());
    if (text && !facts::words_of(*text).empty()) {
      rows.gap(path, {Errc::unsupported, "rules of iptables-legacy are loaded and not shown"});
    }
  }
}

Status collect_chains(Context& context, Rows& rows) {
  if (!context.is_host()) return Error{Errc::unsupported, "an image has no kernel"};
  const auto chains = query_firewall_chains();
  if (!chains) return chains.error();
  note_legacy_tables(context.root(), rows);
  for (const drift::FirewallChain& chain : *chains) {
    rows.add({chain.family, chain.table, chain.chain, chain.hook, chain.policy,
              chain.default_action, chain.rules});
  }
  return Ok{};
}

sdk::Table audit_loaded_rules_table() {
  return {.name = "audit_loaded_rules",
          .title = "Audit rules that the kernel has",
          .columns = {sdk::text("rule", "In the spelling of audit_rules").key(), sdk::occurrence(),
                      sdk::text("kind", "watch, syscall"),
                      sdk::bytes("path", "Watched file or directory").nullable("no path"),
                      sdk::text("permissions", "Of a watch: out of rwxa"),
                      sdk::text("syscalls", "Sorted, by commas; all"),
                      sdk::text("key_name", "What its records are marked with")},
          .capabilities = {"CAP_AUDIT_CONTROL"},
          .collect = collect_rules};
}

sdk::Table audit_status_table() {
  return {.name = "audit_status",
          .title = "State of the kernel's audit system",
          .columns = {sdk::text("name",
                                "enabled (2: locked), failure, rate_limit, backlog_limit, "
                                "daemon (1: one listens)")
                          .key(),
                      sdk::integer("value", "Value")},
          .capabilities = {"CAP_AUDIT_CONTROL"},
          .collect = collect_status};
}

sdk::Table firewall_loaded_chains_table() {
  return {.name = "firewall_loaded_chains",
          .title = "Chains of nf_tables that the kernel has, those of iptables-nft among them",
          .columns = {sdk::text("family", "ipv4, ipv6, inet (both) …").key(),
                      sdk::text("table_name", "Table").key(), sdk::text("chain", "Chain").key(),
                      sdk::text("hook", "input …; empty: reached from other chains only"),
                      sdk::text("policy", "accept, drop; empty without a hook"),
                      sdk::text("default_action",
                                "The policy, or the verdict of the first rule "
                                "without condition"),
                      sdk::integer("rules", "How many")},
          .capabilities = {"CAP_NET_ADMIN"},
          .collect = collect_chains};
}

}  // namespace

sdk::Collector make_kernel_rules() {
  sdk::Collector collector;
  collector.name = "kernel_rules";
  collector.title = "Audit rules and firewall chains as the kernel has them";
  collector.interval_s = 3600;
  collector.deadline_s = 30;
  collector.tables = {audit_loaded_rules_table(), audit_status_table(),
                      firewall_loaded_chains_table()};
  return collector;
}

}  // namespace vouch::kernel_rules
