// SPDX-License-Identifier: Apache-2.0
// Mandatory access control and the boot loader: parsers of their files.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/root.h"

namespace vouch::drift {

struct AppArmorProfile {
  std::string name;
  std::string mode;  // "enforce", "complain", "kill", "unconfined"
};
struct AppArmorProfiles {
  std::vector<AppArmorProfile> profiles;
  std::vector<std::pair<std::string, Error>> gaps;
};
// What the kernel has loaded, from /sys/kernel/security/apparmor below `root`. Errc::not_found: the
// kernel has no AppArmor.
Result<AppArmorProfiles> read_apparmor_profiles(const Root& root);

// What a GRUB configuration says of passwords; never a hash.
struct GrubSecurity {
  std::string superusers;    // As written, without quotes.
  std::string password;      // "pbkdf2", "plain", "none"
  bool has_entries = false;  // It boots something itself, and does not only lead to another file.
};
GrubSecurity parse_grub(std::string_view text);
// True if RHEL's user.cfg sets the hash that grub.cfg asks for.
bool has_grub2_password(std::string_view user_cfg);

}  // namespace vouch::drift
