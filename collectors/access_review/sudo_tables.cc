// SPDX-License-Identifier: Apache-2.0
// The tables of sudo: sudo_rules, sudo_defaults, sudo_files.
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "collectors/access_review/access_review.h"
#include "collectors/access_review/sudo_policy.h"
#include "collectors/facts/file_mode.h"
#include "collectors/sdk/context.h"

namespace vouch::access {
namespace {

using sdk::Context;
using sdk::Rows;

constexpr std::string_view kReadAll = "CAP_DAC_READ_SEARCH";
constexpr std::size_t kConfigBytesMax = 1 << 20;

// Policies that live elsewhere are not examined; where one is configured, that is said.
void note_other_sources(Context& context, Rows& rows) {
  const auto sudo_conf = context.root().read("/etc/sudo.conf", kConfigBytesMax);
  if (sudo_conf && sudo_conf->find("sudoers_file=") != std::string::npos) {
    rows.gap("/etc/sudo.conf", {Errc::unsupported, "names another sudoers file"});
  }
  const auto nsswitch = context.root().read("/etc/nsswitch.conf", kConfigBytesMax);
  if (!nsswitch) return;
  for (std::size_t at = nsswitch->find("sudoers:"); at != std::string::npos;
       at = nsswitch->find("sudoers:", at + 1)) {
    const bool starts_line = at == 0 || (*nsswitch)[at - 1] == '\n';
    const std::string line = nsswitch->substr(at, nsswitch->find('\n', at) - at);
    const bool is_remote =
        line.find("ldap") != std::string::npos || line.find("sss") != std::string::npos;
    if (starts_line && is_remote) {
      rows.gap("/etc/nsswitch.conf:sudoers", {Errc::unsupported, "sudo rules of a directory"});
    }
  }
}

Result<SudoPolicy> read_policy(Context& context, Rows& rows) {
  auto policy = read_sudo_policy(context.root());
  if (!policy) return policy;
  for (const auto& [object, error] : policy->gaps) rows.gap(object, error);
  for (const SudoSource& file : policy->files) {
    for (const Fault& fault : file.content.faults) {
      rows.gap(fmt::format("{}:{}", file.path, fault.line), {Errc::invalid, fault.message});
    }
  }
  note_other_sources(context, rows);
  return policy;
}

Status collect_rules(Context& context, Rows& rows) {
  const auto policy = read_policy(context, rows);
  if (!policy) return policy.error();
  const auto grants = expand_grants(*policy);
  if (!grants) return grants.error();
  for (const SudoGrant& grant : *grants) {
    const auto has = [&](std::string_view tag) {
      return std::find(grant.tags.begin(), grant.tags.end(), tag) != grant.tags.end();
    };
    rows.add({grant.source, grant.user, grant.host, grant.run_as, grant.command, has("NOPASSWD"),
              has("NOEXEC"), grant.negated, fmt::format("{}", fmt::join(grant.tags, " "))});
  }
  return Ok{};
}

Status collect_defaults(Context& context, Rows& rows) {
  const auto policy = read_policy(context, rows);
  if (!policy) return policy.error();
  for (const SudoSource& file : policy->files) {
    for (const SudoDefault& option : file.content.defaults) {
      rows.add({file.path, option.scope, option.name, option.value, option.negated});
    }
  }
  return Ok{};
}

Status collect_files(Context& context, Rows& rows) {
  const auto policy = read_sudo_policy(context.root());
  if (!policy) return policy.error();
  // A file with a fault is a row with valid = false; only what was not read is missing here.
  for (const auto& [object, error] : policy->gaps) rows.gap(object, error);
  for (const SudoSource& file : policy->files) {
    rows.add(
        {file.path, facts::mode_text(file.mode), file.uid, file.gid, file.content.faults.empty()});
  }
  return Ok{};
}

}  // namespace

sdk::Table sudo_rules_table() {
  return {
      .name = "sudo_rules",
      .title = "Who may run what as whom, includes and aliases resolved",
      .columns = {sdk::bytes("source", "File").key(),
                  sdk::text("user", "User, %group, #uid, ALL; with ! where it is taken out").key(),
                  sdk::text("host", "Hosts").key(),
                  sdk::text("run_as", "Users:groups; empty for the invoking user").key(),
                  sdk::bytes("command", "Command and arguments").key().redact(Redaction::command),
                  sdk::occurrence(), sdk::boolean("nopasswd", "Without a password"),
                  sdk::boolean("noexec", "Without further commands"),
                  sdk::boolean("negated", "The command is taken out"),
                  sdk::text("tags", "All tags and options, sorted")},
      .capabilities = {kReadAll},
      .collect = collect_rules};
}

sdk::Table sudo_defaults_table() {
  return {.name = "sudo_defaults",
          .title = "Defaults of sudo",
          .columns = {sdk::bytes("source", "File").key(),
                      sdk::text("scope", "Empty, or @host :user !command >run-as").key(),
                      sdk::text("name", "Option").key(), sdk::occurrence(),
                      sdk::bytes("value", "With += or -= in front where the file has it"),
                      sdk::boolean("negated", "Switched off")},
          .capabilities = {kReadAll},
          .collect = collect_defaults};
}

sdk::Table sudo_files_table() {
  return {.name = "sudo_files",
          .title = "Files of the sudo policy",
          .columns = {sdk::bytes("path", "File").key(), sdk::text("mode", "Four octal digits"),
                      sdk::integer("uid", "Owner"), sdk::integer("gid", "Group"),
                      sdk::boolean("valid", "Its syntax is right")},
          .capabilities = {kReadAll},
          .collect = collect_files};
}

}  // namespace vouch::access
