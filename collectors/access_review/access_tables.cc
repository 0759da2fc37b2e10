// SPDX-License-Identifier: Apache-2.0
// The tables access_rules, polkit_rules and trusted_user_ca_keys.
#include <fmt/format.h>

#include <set>
#include <string>
#include <vector>

#include "collectors/access_review/access_review.h"
#include "collectors/access_review/access_rules.h"
#include "collectors/access_review/authorized_keys.h"
#include "collectors/access_review/file_token.h"
#include "collectors/access_review/hidden_directories.h"
#include "collectors/facts/file_mode.h"
#include "collectors/facts/sshd_config.h"
#include "collectors/sdk/context.h"
#include "core/digest.h"

namespace vouch::access {
namespace {

using sdk::Context;
using sdk::Rows;

constexpr std::size_t kFileBytesMax = 4 << 20;
constexpr std::string_view kReadAll = "CAP_DAC_READ_SEARCH";

Status collect_access_rules(Context& context, Rows& rows) {
  tell_hidden_directories(context.root(), rows, {"/etc/security", "/etc/security/access.d"});
  for (const char* pattern : {"/etc/security/access.conf", "/etc/security/access.d/*.conf"}) {
    for (const std::string& path : facts::glob_paths(context.root(), pattern)) {
      const auto text = context.root().read(path, kFileBytesMax);
      if (!text) {
        rows.gap(path, text.error());
        continue;
      }
      const auto parsed = parse_access_conf(*text);
      for (const Fault& fault : parsed.faults) {
        rows.gap(fmt::format("{}:{}", path, fault.line), {Errc::invalid, fault.message});
      }
      for (const AccessRule& rule : parsed.entries) {
        rows.add({path, rule.line, rule.grants ? "+" : "-", rule.users, rule.origins});
      }
    }
  }
  return Ok{};
}

// Rule files by name: of one name the first directory's counts (polkit(8)).
std::vector<std::string> polkit_files(const Root& root) {
  std::vector<std::string> files;
  for (const char* pattern :
       {"/etc/polkit-1/rules.d/*.rules", "/run/polkit-1/rules.d/*.rules",
        "/usr/local/share/polkit-1/rules.d/*.rules", "/usr/share/polkit-1/rules.d/*.rules",
        "/etc/polkit-1/localauthority/*/*.pkla", "/var/lib/polkit-1/localauthority/*/*.pkla"}) {
    for (std::string& path : facts::glob_paths(root, pattern)) files.push_back(std::move(path));
  }
  return files;
}

Status collect_polkit_rules(Context& context, Rows& rows) {
  tell_hidden_directories(context.root(), rows,
                          {"/etc/polkit-1/rules.d", "/run/polkit-1/rules.d",
                           "/usr/local/share/polkit-1/rules.d", "/usr/share/polkit-1/rules.d",
                           "/etc/polkit-1/localauthority", "/var/lib/polkit-1/localauthority"});
  const std::vector<std::string> files = polkit_files(context.root());
  if (rows.unchanged(file_token(context.root(), "polkit_rules 1", files))) return Ok{};
  std::set<std::string> seen;
  for (const std::string& path : files) {
    const auto status = context.root().stat(path);
    const auto text = context.root().read(path, kFileBytesMax);
    if (!status || !text) {
      rows.gap(path, status ? text.error() : status.error());
      continue;
    }
    const bool is_program = path.ends_with(".rules");
    const std::string name = path.substr(path.rfind('/') + 1);
    const bool is_effective = !is_program || seen.insert(name).second;
    const PolkitText said = read_polkit_text(*text);
    rows.add({path, is_program ? "rules" : "pkla", is_effective, said.grants,
              fmt::format("{}", fmt::join(said.actions, " ")), facts::mode_text(status->st_mode),
              status->st_uid, status->st_gid, sha256_hex(*text)});
  }
  return Ok{};
}

void add_authorities(Context& context, Rows& rows, const std::string& path,
                     const std::string& match) {
  const auto text = context.root().read(path, kFileBytesMax);
  if (!text) return rows.gap(path, text.error());
  const auto parsed = parse_authorized_keys(*text);
  for (const Fault& fault : parsed.faults) {
    rows.gap(fmt::format("{}:{}", path, fault.line), {Errc::invalid, fault.message});
  }
  for (const AuthorizedKey& key : parsed.entries) {
    rows.add({path, match, key.fingerprint, key.algorithm, key.bits, key.comment});
  }
}

Status collect_authorities(Context& context, Rows& rows) {
  const auto config = facts::read_sshd_config(context.root());
  if (!config && config.error().code == Errc::not_found) return Ok{};  // No sshd is configured.
  if (!config) return config.error();
  for (const auto& [object, error] : config->gaps) rows.gap(object, error);
  std::set<std::string> settled;  // By Match: of one place the first value holds.
  for (const auto& directive : config->directives) {
    if (directive.keyword != "trustedusercakeys") continue;
    if (!settled.insert(directive.match).second || directive.arguments[0] == "none") continue;
    const std::string& path = directive.arguments[0];
    if (!path.starts_with('/') || path.find('%') != std::string::npos) {
      rows.gap(path, {Errc::unsupported, "is no plain path"});
      continue;
    }
    add_authorities(context, rows, path, directive.match);
  }
  return Ok{};
}

}  // namespace

sdk::Table access_rules_table() {
  return {.name = "access_rules",
          .title = "Rules of access.conf; they hold where pam_access is in a stack",
          .columns = {sdk::bytes("source", "File").key(), sdk::integer("line", "Line").key(),
                      sdk::text("permission", "+ or -"),
                      sdk::text("users", "Names, @netgroups, (groups), ALL, EXCEPT"),
                      sdk::text("origins", "Terminals, hosts, networks, LOCAL, ALL")},
          .capabilities = {kReadAll},
          .collect = collect_access_rules};
}

sdk::Table polkit_rules_table() {
  return {.name = "polkit_rules",
          .title = "Rule files of polkit, which may let people act as root",
          .columns = {sdk::bytes("path", "File").key(), sdk::text("kind", "rules or pkla"),
                      sdk::boolean("effective", "No file of that name comes before it"),
                      sdk::boolean("grants", "Its text says yes without a password somewhere"),
                      sdk::text("actions", "Ids that its text names, sorted"),
                      sdk::text("mode", "Four octal digits"), sdk::integer("uid", "Owner"),
                      sdk::integer("gid", "Group"), sdk::text("sha256", "Of its bytes")},
          .capabilities = {kReadAll},
          .collect = collect_polkit_rules};
}

sdk::Table trusted_user_ca_keys_table() {
  return {.name = "trusted_user_ca_keys",
          .title = "Keys whose certificates sshd lets in (TrustedUserCAKeys)",
          .columns = {sdk::bytes("source", "File").key(),
                      sdk::text("match", "Criteria of the Match; empty everywhere").key(),
                      sdk::text("fingerprint", "SHA256:… as ssh-keygen prints it").key(),
                      sdk::occurrence(), sdk::text("algorithm", "Kind of key"),
                      sdk::integer("bits", "Length").nullable("the algorithm has one size only"),
                      sdk::bytes("comment", "Comment behind the key").personal()},
          .capabilities = {kReadAll},
          .collect = collect_authorities};
}

}  // namespace vouch::access
