// SPDX-License-Identifier: Apache-2.0
// Local feeds of advisories against installed source packages: Debian's security tracker (the JSON
// of https://security-tracker.debian.org/tracker/data/json) and OSV records, one or one a line.
// Somebody else brings the files onto the host; nothing is fetched here.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/patch_level/dpkg_status.h"
#include "core/result.h"

namespace vouch::patch_level {

struct InstalledSource {
  std::string version;             // The oldest that one of its packages is of.
  std::set<std::string> packages;  // Of it.
};
using InstalledSources = std::map<std::string, InstalledSource, std::less<>>;
InstalledSources sources_of(const DpkgStatus& status);

struct Vulnerability {
  std::string cve;  // Or the advisory's own name, if it names none.
  std::string source;
  std::optional<std::string> fixed_version;  // None: there is no fix yet.
  std::string urgency;                       // The feed's word; empty: none.
};

struct FeedRelease {
  std::string codename;   // "bookworm": the tracker's name of the release.
  std::string ecosystem;  // "Debian:12": OSV's.
};

struct FeedResult {
  std::vector<Vulnerability> vulnerabilities;
  std::size_t entries = 0;  // Packages of the tracker, or records, that were read.
};

inline constexpr std::size_t kFeedBytesMax = std::size_t{512} << 20;

// Reads the open file in pieces; which format it has is told by its beginning. Errors: invalid (no
// JSON, cut off, no feed of either kind), too_large.
Result<FeedResult> read_feed(int fd, const InstalledSources& installed, const FeedRelease& release);

// One OSV record.
Status read_osv(std::string_view text, const InstalledSources& installed,
                const FeedRelease& release, FeedResult& result);

}  // namespace vouch::patch_level
