// SPDX-License-Identifier: Apache-2.0
// Members of groups that grant something, where the groups or the members are in a directory. A
// directory seldom lists what it has; asked by name it answers.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "collectors/access_review/accounts.h"
#include "collectors/access_review/name_service.h"
#include "core/result.h"
#include "core/root.h"

namespace vouch::access {

struct GroupsThatGrant {
  std::vector<std::string> named;  // By sudo or sshd: each must be resolved.
  std::vector<std::string> usual;  // Privileged by custom, where they exist.
};

// The groups that sudoers (%group) and sshd_config (AllowGroups) name, and the usual ones: sudo,
// wheel, docker … and `more`.
GroupsThatGrant groups_that_grant(const Root& root, const std::vector<std::string>& more);

struct DirectoryMembers {
  std::vector<GroupEntry> groups;     // As the directory has them, with all their members.
  std::vector<PasswdEntry> accounts;  // Members that are in no file.
  std::vector<std::pair<std::string, Error>> gaps;
};

// Asks for the groups, then for those of their members that `known` does not have. What cannot be
// resolved is a gap: "%group", "%group/member".
DirectoryMembers find_directory_members(const GroupsThatGrant& wanted,
                                        const std::vector<PasswdEntry>& known_accounts,
                                        const std::vector<GroupEntry>& known_groups,
                                        NameService& names);

}  // namespace vouch::access
