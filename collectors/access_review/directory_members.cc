// SPDX-License-Identifier: Apache-2.0
#include "collectors/access_review/directory_members.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "collectors/access_review/sudo_policy.h"
#include "collectors/facts/sshd_config.h"

namespace vouch::access {
namespace {

constexpr std::size_t kMembersMax = 20'000;

void add_unique(std::vector<std::string>& list, const std::string& name) {
  if (std::find(list.begin(), list.end(), name) == list.end()) list.push_back(name);
}

// %group and %%group of a sudo user list; %#gid and %:nonunix are no names of NSS.
void add_sudo_groups(const Root& root, std::vector<std::string>& out) {
  const auto policy = read_sudo_policy(root);
  if (!policy) return;  // sudo_rules has the error.
  const auto grants = expand_grants(*policy);
  if (!grants) return;
  for (const SudoGrant& grant : *grants) {
    std::string_view user = grant.user;
    if (user.starts_with('!')) user.remove_prefix(1);
    if (!user.starts_with('%')) continue;
    user.remove_prefix(1);
    if (user.empty() || user[0] == '#' || user[0] == ':') continue;
    add_unique(out, std::string(user));
  }
}

void add_sshd_groups(const Root& root, std::vector<std::string>& out) {
  const auto config = facts::read_sshd_config(root);
  if (!config) return;
  for (const auto& directive : config->directives) {
    if (directive.keyword != "allowgroups") continue;
    for (const std::string& group : directive.arguments) {
      if (group.find_first_of("*?!") == std::string::npos) add_unique(out, group);
    }
  }
}

}  // namespace

GroupsThatGrant groups_that_grant(const Root& root, const std::vector<std::string>& more) {
  GroupsThatGrant groups;
  groups.usual = {"sudo", "wheel", "admin", "adm",     "docker", "podman",
                  "lxd",  "disk",  "kmem",  "libvirt", "shadow", "incus-admin"};
  add_sudo_groups(root, groups.named);
  add_sshd_groups(root, groups.named);
  for (const std::string& name : more) add_unique(groups.named, name);
  // Distributions ship rules for groups that many hosts do not have: %admin, %wheel.
  std::erase_if(groups.named, [&](const std::string& name) {
    return std::find(groups.usual.begin(), groups.usual.end(), name) != groups.usual.end();
  });
  return groups;
}

DirectoryMembers find_directory_members(const GroupsThatGrant& wanted,
                                        const std::vector<PasswdEntry>& known_accounts,
                                        const std::vector<GroupEntry>& known_groups,
                                        NameService& names) {
  DirectoryMembers found;
  std::vector<std::string> questions = wanted.named;
  questions.insert(questions.end(), wanted.usual.begin(), wanted.usual.end());
  const auto answer = names.find("group", questions);
  if (!answer) {
    found.gaps.emplace_back("/etc/nsswitch.conf:group", answer.error());
    return found;
  }
  found.groups = parse_group(*answer).entries;

  std::set<std::string> resolved;
  for (const GroupEntry& group : known_groups) resolved.insert(group.name);
  for (const GroupEntry& group : found.groups) resolved.insert(group.name);
  for (const std::string& name : wanted.named) {
    if (resolved.contains(name)) continue;
    found.gaps.emplace_back(
        "%" + name, Error{Errc::not_found, "neither a file nor the name service knows this group"});
  }

  std::set<std::string> known;
  for (const PasswdEntry& account : known_accounts) known.insert(account.name);
  std::vector<std::pair<std::string, std::string>> open;  // Member, group.
  std::set<std::string> members;
  for (const GroupEntry& group : found.groups) {
    for (const std::string& member : group.members) {
      if (known.contains(member) || !members.insert(member).second) continue;
      if (open.size() < kMembersMax) open.emplace_back(member, group.name);
    }
  }
  if (open.empty()) return found;
  const auto accounts = names.find("passwd", {members.begin(), members.end()});
  if (!accounts) {
    found.gaps.emplace_back("/etc/nsswitch.conf:passwd", accounts.error());
    return found;
  }
  found.accounts = parse_passwd(*accounts).entries;
  for (const PasswdEntry& account : found.accounts) known.insert(account.name);
  for (const auto& [member, group] : open) {
    if (known.contains(member)) continue;
    found.gaps.emplace_back("%" + group + "/" + member,
                            Error{Errc::not_found, "the name service does not know this member"});
  }
  return found;
}

}  // namespace vouch::access
