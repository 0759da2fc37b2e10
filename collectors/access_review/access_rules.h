// SPDX-License-Identifier: Apache-2.0
// Rules of access.conf(5), which pam_access enforces, and what a polkit rule file speaks of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "collectors/access_review/accounts.h"

namespace vouch::access {

struct AccessRule {
  int line = 0;
  bool grants = false;  // "+"; "-" refuses.
  std::string users;    // As written, single spaces.
  std::string origins;
};
// Lines that are no rule are faults: pam_access skips them.
Parsed<AccessRule> parse_access_conf(std::string_view text);

struct PolkitText {
  std::vector<std::string> actions;  // Ids that stand in the text, such as "org.x.y", sorted.
  bool grants = false;               // Some branch says yes without asking for a password.
};
// The rule files are programmes (*.rules) or lists (*.pkla): they are searched, not run. What a
// comment says counts, too.
PolkitText read_polkit_text(std::string_view text);

}  // namespace vouch::access
