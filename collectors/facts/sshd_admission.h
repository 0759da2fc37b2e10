// SPDX-License-Identifier: Apache-2.0
// Whether sshd's lists let an account in: DenyUsers, AllowUsers, DenyGroups, AllowGroups, in this
// order (allowed_user() of sshd). What comes after them (shell, lock, authentication) is not looked
// at.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "collectors/facts/sshd_match.h"

namespace vouch::facts {

struct SshdLists {
  std::vector<std::string> deny_users, allow_users, deny_groups, allow_groups;
  // There is a list of who is let in, whether or not it names the account at hand.
  bool has_allow_users = false;
  bool has_allow_groups = false;
};
// Of the users only the patterns that fit the name: each connection has to look at these alone.
SshdLists sshd_lists_for(const std::vector<const SshdDirective*>& in_effect,
                         std::string_view user_name);

// The keyword that refuses the account on this connection, lower case; empty: none does.
std::string_view sshd_refusal(const SshdLists& lists, const SshdUser& user,
                              const SshdOrigin& origin);

// The host part of a pattern of DenyUsers and AllowUsers, "USER@HOST"; empty: every host.
std::string_view host_part(std::string_view pattern);
// True if it fits where the connection comes from (match_host_and_ip() of sshd).
bool host_part_fits(std::string_view hosts, const SshdOrigin& origin);

}  // namespace vouch::facts
