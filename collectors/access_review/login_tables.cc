// SPDX-License-Identifier: Apache-2.0
// The tables of getting in: authorized_keys, last_logins.
#include <fmt/format.h>

#include <map>
#include <set>
#include <string>

#include "collectors/access_review/access_review.h"
#include "collectors/access_review/accounts_on_host.h"
#include "collectors/access_review/authorized_keys.h"
#include "collectors/access_review/key_files.h"
#include "collectors/access_review/login_history.h"
#include "collectors/access_review/login_journal.h"
#include "collectors/sdk/context.h"

namespace vouch::access {
namespace {

using sdk::Context;
using sdk::Rows;

constexpr std::size_t kKeyFileBytesMax = 4 << 20;

std::multimap<std::string, std::string> group_names(const std::vector<GroupEntry>& groups,
                                                    const std::vector<Account>& accounts) {
  std::multimap<std::string, std::string> names;
  std::map<std::int64_t, std::string> by_id;
  for (const GroupEntry& group : groups) {
    by_id.try_emplace(group.gid, group.name);
    for (const std::string& member : group.members) names.emplace(member, group.name);
  }
  for (const Account& account : accounts) {
    const auto primary = by_id.find(account.entry.gid);
    if (primary != by_id.end()) names.emplace(account.entry.name, primary->second);
  }
  return names;
}

void add_keys(Context& context, Rows& rows, const PasswdEntry& user, const std::string& path) {
  const auto text = context.root().read(path, kKeyFileBytesMax);
  if (!text && text.error().code == Errc::not_found) return;
  if (!text) return rows.gap(path, text.error());
  const auto parsed = parse_authorized_keys(*text);
  for (const Fault& fault : parsed.faults) {
    rows.gap(fmt::format("{}:{}", path, fault.line), {Errc::invalid, fault.message});
  }
  for (const AuthorizedKey& key : parsed.entries) {
    rows.add({user.name, path, key.fingerprint, user.uid, key.algorithm, key.bits, key.options,
              key.comment, key.certificate_authority});
  }
}

Status collect_keys(Context& context, Rows& rows) {
  const auto accounts = read_accounts(context, rows);
  if (!accounts) return accounts.error();
  const auto groups = read_memberships(context, rows);
  const auto names =
      groups ? group_names(*groups, *accounts) : std::multimap<std::string, std::string>();
  const KeyFiles files(context.root());
  for (const auto& [object, error] : files.gaps()) rows.gap(object, error);
  if (!files.command().empty()) {
    rows.gap(files.command(), {Errc::unsupported, "the keys that AuthorizedKeysCommand gives"});
  }
  std::set<std::pair<std::string, std::string>> seen;  // A name twice in passwd has one home each.
  for (const Account& account : *accounts) {
    std::vector<std::string> own;
    const auto [first, last] = names.equal_range(account.entry.name);
    for (auto it = first; it != last; ++it) own.push_back(it->second);
    for (const std::string& path : files.paths(account.entry, &own)) {
      if (seen.emplace(account.entry.name, path).second) {
        add_keys(context, rows, account.entry, path);
      }
    }
  }
  return Ok{};
}

// Where the host keeps none of the records: what logind wrote into the journal.
Status add_from_journal(Context& context, Rows& rows, const std::vector<Account>& accounts) {
  const auto logins = read_journal_logins(context);
  if (!logins) return logins.error();
  std::set<std::string> seen;
  for (const Account& account : accounts) {
    const PasswdEntry& user = account.entry;
    if (!seen.insert(user.name).second) continue;
    const auto last = logins->newest.find(user.name);
    const bool is_known = last != logins->newest.end();
    if (!is_known && logins->is_cut) {
      rows.gap(user.name, {Errc::too_large, "the journal has more sessions than are read"});
    }
    rows.add(
        {user.name, user.uid, is_known ? sdk::Cell(last->second) : sdk::Cell(nullptr), "journal"});
  }
  return Ok{};
}

Status collect_last_logins(Context& context, Rows& rows) {
  const auto accounts = read_accounts(context, rows);
  if (!accounts) return accounts.error();
  const auto history = LoginHistory::read(context.root());
  if (!history && history.error().code == Errc::not_found && context.is_host()) {
    return add_from_journal(context, rows, *accounts);
  }
  if (!history) return history.error();
  for (const auto& [object, error] : history->gaps()) rows.gap(object, error);
  std::set<std::string> seen;
  for (const Account& account : *accounts) {
    const PasswdEntry& user = account.entry;
    if (!seen.insert(user.name).second) continue;
    const LastLogin last = history->last(user.name, user.uid);
    rows.add({user.name, user.uid, last.at, last.source});
  }
  return Ok{};
}

}  // namespace

sdk::Table authorized_keys_table() {
  return {.name = "authorized_keys",
          .title = "SSH keys that open an account",
          .columns = {sdk::text("username", "Account").key(), sdk::bytes("key_file", "File").key(),
                      sdk::text("fingerprint", "SHA256:… as ssh-keygen prints it").key(),
                      sdk::occurrence(), sdk::integer("uid", "User id"),
                      sdk::text("algorithm", "Kind of key"),
                      sdk::integer("bits", "Length").nullable("the algorithm has one size only"),
                      sdk::bytes("options", "Options before the key").redact(Redaction::command),
                      sdk::bytes("comment", "Comment behind the key").personal(),
                      sdk::boolean("certificate_authority", "It signs keys that are let in")},
          .capabilities = {"CAP_DAC_READ_SEARCH"},
          .collect = collect_keys};
}

sdk::Table last_logins_table() {
  return {.name = "last_logins",
          .title = "Newest login on record",
          .columns = {sdk::text("username", "Account").key(), sdk::integer("uid", "User id"),
                      sdk::time("last_login", "When").nullable("never, as far as the records go"),
                      sdk::text("source", "The record that says so; all that were read, if never")},
          .is_volatile = true,
          .collect = collect_last_logins};
}

}  // namespace vouch::access
