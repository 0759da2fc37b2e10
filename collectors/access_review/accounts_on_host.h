// SPDX-License-Identifier: Apache-2.0
// The accounts of a root: its files and, on the running host, what the name service adds.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/access_review/accounts.h"
#include "collectors/sdk/context.h"
#include "core/result.h"

namespace vouch::access {

struct Account {
  PasswdEntry entry;
  bool from_files = true;  // Else from the name service (LDAP, SSSD …).
};

// Accounts of /etc/passwd, those that the name service lists, and the members of groups that grant
// something (directory_members.h). Lines that do not parse, and sources that do not list their
// accounts, become gaps of `rows`. Errc::not_found where there is no /etc/passwd.
Result<std::vector<Account>> read_accounts(sdk::Context& context, sdk::Rows& rows);
// The same for groups. What a directory has beside the groups that grant something is a gap.
Result<std::vector<GroupEntry>> read_groups(sdk::Context& context, sdk::Rows& rows);
// The same groups, for who asks about memberships: a gap is what those groups leave open.
Result<std::vector<GroupEntry>> read_memberships(sdk::Context& context, sdk::Rows& rows);

// The first entry of each name holds, as for getspnam(3).
Result<std::vector<ShadowEntry>> read_shadow(sdk::Context& context, sdk::Rows& rows);

// UID_MIN of login.defs: accounts below it belong to services.
std::int64_t read_uid_min(const Root& root);

}  // namespace vouch::access
