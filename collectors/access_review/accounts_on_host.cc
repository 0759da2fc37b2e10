// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/accounts_on_host.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <utility>

#include "collectors/access_review/directory_members.h"
#include "collectors/access_review/name_service.h"

namespace vouch::access {
namespace {

constexpr std::size_t kAccountBytesMax = 64 << 20;
constexpr std::size_t kConfigBytesMax = 1 << 20;
constexpr std::int64_t kUidMinDefault = 1000;

using Gaps = std::vector<std::pair<std::string, Error>>;

// Made once per run: a name service may be slow.
struct Identities {
  Result<std::vector<Account>> accounts = Error{};
  Result<std::vector<GroupEntry>> groups = Error{};
  Gaps account_gaps;
  Gaps group_gaps;
  Gaps silent_groups;  // Of the list of groups, not of those that grant something.
};

void report(Gaps& gaps, std::string_view file, const std::vector<Fault>& faults) {
  for (const Fault& fault : faults) {
    gaps.emplace_back(fmt::format("{}:{}", file, fault.line), Error{Errc::invalid, fault.message});
  }
}

Result<std::vector<Account>> read_passwd(const Root& root, Gaps& gaps) {
  const auto text = root.read("/etc/passwd", kAccountBytesMax);
  if (!text) return text.error();
  auto parsed = parse_passwd(*text);
  report(gaps, "/etc/passwd", parsed.faults);
  std::vector<Account> accounts;
  for (PasswdEntry& entry : parsed.entries) accounts.push_back({std::move(entry), true});
  return accounts;
}

Result<std::vector<GroupEntry>> read_group(const Root& root, Gaps& gaps) {
  const auto text = root.read("/etc/group", kAccountBytesMax);
  if (!text) return text.error();
  auto parsed = parse_group(*text);
  report(gaps, "/etc/group", parsed.faults);
  return std::move(parsed.entries);
}

// Adds what the files do not have; true if that is anything.
bool add_accounts(std::vector<Account>& accounts, std::vector<PasswdEntry> more) {
  std::set<std::string> names;
  for (const Account& account : accounts) names.insert(account.entry.name);
  const std::size_t before = accounts.size();
  for (PasswdEntry& entry : more) {
    if (names.insert(entry.name).second) accounts.push_back({std::move(entry), false});
  }
  return accounts.size() > before;
}

// The members of a group that files and a directory have are those of both.
bool add_groups(std::vector<GroupEntry>& groups, std::vector<GroupEntry> more) {
  const std::size_t before = groups.size();
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < groups.size(); ++i) places.try_emplace(groups[i].name, i);
  for (GroupEntry& group : more) {
    const auto [place, is_new] = places.try_emplace(group.name, groups.size());
    if (is_new) {
      groups.push_back(std::move(group));
      continue;
    }
    auto& members = groups[place->second].members;
    std::set<std::string> both(members.begin(), members.end());
    both.insert(group.members.begin(), group.members.end());
    members.assign(both.begin(), both.end());
  }
  return groups.size() > before;
}

constexpr const char* kNoList = "a source that is no local file lists none of its accounts";

// What the name service lists beyond the files.
void add_listed(Identities& found, NameService& names, bool has_accounts, bool has_groups) {
  if (has_accounts) {
    const auto text = names.list("passwd");
    if (!text) found.account_gaps.emplace_back("/etc/nsswitch.conf:passwd", text.error());
    if (text && !add_accounts(*found.accounts, parse_passwd(*text).entries)) {
      found.account_gaps.emplace_back("/etc/nsswitch.conf:passwd",
                                      Error{Errc::unsupported, kNoList});
    }
  }
  if (has_groups && found.groups) {
    const auto text = names.list("group");
    if (!text) found.group_gaps.emplace_back("/etc/nsswitch.conf:group", text.error());
    if (text && !add_groups(*found.groups, parse_group(*text).entries)) {
      found.silent_groups.emplace_back("/etc/nsswitch.conf:group",
                                       Error{Errc::unsupported, kNoList});
    }
  }
}

// Whom the name service knows by name, of those who are granted something.
void add_members(Identities& found, NameService& names, const GroupsThatGrant& wanted) {
  if (!found.groups) return;
  std::vector<PasswdEntry> known;
  for (const Account& account : *found.accounts) known.push_back(account.entry);
  auto members = find_directory_members(wanted, known, *found.groups, names);
  add_groups(*found.groups, std::move(members.groups));
  add_accounts(*found.accounts, std::move(members.accounts));
  for (const auto& gap : members.gaps) found.group_gaps.push_back(gap);
}

void add_directory(sdk::Context& context, Identities& found) {
  const auto nsswitch = context.root().read("/etc/nsswitch.conf", kConfigBytesMax);
  if (!nsswitch || !found.accounts) return;
  const bool has_accounts = !remote_sources(*nsswitch, "passwd").empty();
  const bool has_groups = !remote_sources(*nsswitch, "group").empty();
  if (!has_accounts && !has_groups) return;
  if (!context.is_host()) {
    const Error unknown{Errc::unsupported, "what a directory has is not known in an image"};
    if (has_accounts) found.account_gaps.emplace_back("/etc/nsswitch.conf:passwd", unknown);
    if (has_groups) found.group_gaps.emplace_back("/etc/nsswitch.conf:group", unknown);
    return;
  }
  Getent names(context.remaining() / 2);
  add_listed(found, names, has_accounts, has_groups);
  add_members(found, names,
              groups_that_grant(context.root(), context.texts_option("privileged_groups", {})));
}

const Identities& identities(sdk::Context& context) {
  return context.once([&context] {
    Identities found;
    found.accounts = read_passwd(context.root(), found.account_gaps);
    found.groups = read_group(context.root(), found.group_gaps);
    add_directory(context, found);
    return found;
  });
}

void tell(sdk::Rows& rows, const Gaps& gaps) {
  for (const auto& [object, error] : gaps) rows.gap(object, error);
}

}  // namespace

Result<std::vector<Account>> read_accounts(sdk::Context& context, sdk::Rows& rows) {
  const Identities& found = identities(context);
  tell(rows, found.account_gaps);
  return found.accounts;
}

Result<std::vector<GroupEntry>> read_groups(sdk::Context& context, sdk::Rows& rows) {
  tell(rows, identities(context).silent_groups);
  return read_memberships(context, rows);
}

Result<std::vector<GroupEntry>> read_memberships(sdk::Context& context, sdk::Rows& rows) {
  const Identities& found = identities(context);
  tell(rows, found.group_gaps);
  return found.groups;
}

Result<std::vector<ShadowEntry>> read_shadow(sdk::Context& context, sdk::Rows& rows) {
  const auto text = context.root().read("/etc/shadow", kAccountBytesMax);
  if (!text) return text.error();
  auto parsed = parse_shadow(*text);
  Gaps gaps;
  report(gaps, "/etc/shadow", parsed.faults);
  tell(rows, gaps);
  return std::move(parsed.entries);
}

std::int64_t read_uid_min(const Root& root) {
  const auto text = root.read("/etc/login.defs", kConfigBytesMax);
  if (!text) return kUidMinDefault;
  for (const auto& [name, value] : parse_login_defs(*text)) {
    std::int64_t number = 0;
    const char* end = value.data() + value.size();
    if (name == "UID_MIN" && std::from_chars(value.data(), end, number).ptr == end && number > 0) {
      return number;
    }
  }
  return kUidMinDefault;
}

}  // namespace vouch::access
