// SPDX-License-Identifier: Apache-2.0
// os-release(5), and until when a release of a distribution gets security updates.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/result.h"

namespace vouch::patch_level {

struct OsRelease {
  std::string id;  // "linux" if the file says none, as os-release(5) has it.
  std::string name;
  std::string version;  // VERSION, else VERSION_ID; empty for a rolling release.
  std::optional<std::string> version_id;
  std::optional<std::string> codename;
  std::string support_end;  // "2026-05-13", where the vendor says so there (Fedora); else empty.
};

// Shell-like assignments. Lines that are none are skipped, as its readers do; a text without a
// single assignment is Errc::invalid.
Result<OsRelease> parse_os_release(std::string_view text);

struct SupportDates {
  std::optional<WallSeconds> support_end;  // The last day on which everybody gets security updates.
  std::optional<WallSeconds> lts_end;      // The same for the long-term offer after it.
};

// From the table in support_dates.inc; of what is not in it, what its own file says.
SupportDates support_dates(const OsRelease& release);

}  // namespace vouch::patch_level
