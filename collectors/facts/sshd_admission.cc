// SPDX-License-Identifier: Apache-2.0
#include "collectors/facts/sshd_admission.h"

#include <algorithm>

#include "collectors/facts/lines.h"
#include "collectors/facts/sshd_patterns.h"

namespace vouch::facts {
namespace {

bool fits_user(std::string_view pattern, const SshdUser& user, const SshdOrigin& origin) {
  if (!ssh_pattern_fits(pattern.substr(0, pattern.find('@')), user.name)) return false;
  return pattern.find('@') == std::string_view::npos || host_part_fits(host_part(pattern), origin);
}

bool names_user(const std::vector<std::string>& list, const SshdUser& user,
                const SshdOrigin& origin) {
  return std::any_of(list.begin(), list.end(),
                     [&](const std::string& pattern) { return fits_user(pattern, user, origin); });
}

// Here `!` is a letter like any other.
bool names_group(const std::vector<std::string>& list, const SshdUser& user) {
  return std::any_of(list.begin(), list.end(), [&](const std::string& pattern) {
    return std::any_of(user.groups.begin(), user.groups.end(),
                       [&](const std::string& group) { return ssh_pattern_fits(pattern, group); });
  });
}

}  // namespace

SshdLists sshd_lists_for(const std::vector<const SshdDirective*>& in_effect,
                         std::string_view user_name) {
  SshdLists lists;
  for (const SshdDirective* directive : in_effect) {
    std::vector<std::string>* list = nullptr;
    bool is_of_users = true;
    if (directive->keyword == "denyusers") list = &lists.deny_users;
    if (directive->keyword == "allowusers") list = &lists.allow_users;
    if (directive->keyword == "denygroups" || directive->keyword == "allowgroups") {
      list = directive->keyword == "denygroups" ? &lists.deny_groups : &lists.allow_groups;
      is_of_users = false;
    }
    if (list == nullptr) continue;
    lists.has_allow_users = lists.has_allow_users || list == &lists.allow_users;
    lists.has_allow_groups = lists.has_allow_groups || list == &lists.allow_groups;
    for (const std::string& pattern : directive->arguments) {
      const std::string_view name = std::string_view(pattern).substr(0, pattern.find('@'));
      if (!is_of_users || ssh_pattern_fits(name, user_name)) list->push_back(pattern);
    }
  }
  return lists;
}

std::string_view host_part(std::string_view pattern) {
  const std::size_t at = pattern.find('@');
  return at == std::string_view::npos ? std::string_view() : pattern.substr(at + 1);
}

bool host_part_fits(std::string_view hosts, const SshdOrigin& origin) {
  const auto by_address = ssh_address_answer(hosts, origin.address);
  if (!by_address || *by_address == ListAnswer::refused) return false;
  const ListAnswer by_name = ssh_list_answer(lower_case(hosts), lower_case(origin.host));
  if (by_name == ListAnswer::refused) return false;
  return *by_address == ListAnswer::accepted || by_name == ListAnswer::accepted;
}

std::string_view sshd_refusal(const SshdLists& lists, const SshdUser& user,
                              const SshdOrigin& origin) {
  if (names_user(lists.deny_users, user, origin)) return "denyusers";
  if (lists.has_allow_users && !names_user(lists.allow_users, user, origin)) {
    return "allowusers";
  }
  if (names_group(lists.deny_groups, user)) return "denygroups";
  if (lists.has_allow_groups && !names_group(lists.allow_groups, user)) return "allowgroups";
  return "";
}

}  // namespace vouch::facts
