// SPDX-License-Identifier: Apache-2.0
// What changed on the host's packages, by dpkg's log, and who asked for it, by apt's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/patch_level/local_time.h"

namespace vouch::patch_level {

struct PackageChange {
  WallSeconds time = 0;
  std::string action;  // "install", "upgrade", "downgrade", "remove", "purge"
  std::string name;
  std::string arch;
  std::string old_version;  // Empty: it was not installed.
  std::string new_version;  // Empty: it is removed.
};

// One run of apt. Its times have no more than seconds, and neither have dpkg's.
struct AptTransaction {
  WallSeconds start = 0;
  std::optional<WallSeconds> end;  // None: it did not get to its end.
  std::string command_line;        // Empty: a program that uses apt's library, and gave none.
  std::string requested_by;        // "name (uid)" of who used sudo; empty: root itself.
};

// Lines of dpkg.log from `since` on. Never fails: lines that are none of the five are passed over;
// a day's debris would hide the rest.
std::vector<PackageChange> parse_dpkg_log(std::string_view text, const LocalTime& zone,
                                          WallSeconds since);
std::vector<AptTransaction> parse_apt_history(std::string_view text, const LocalTime& zone,
                                              WallSeconds since);

// The transaction in which the change happened; none: dpkg was called by hand. `transactions` are
// sorted by start.
const AptTransaction* transaction_of(const PackageChange& change,
                                     const std::vector<AptTransaction>& transactions);

}  // namespace vouch::patch_level
