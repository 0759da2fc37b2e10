// SPDX-License-Identifier: Apache-2.0
// The metadata of repositories as dnf and zypper keep it on disk. Nothing is fetched or refreshed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collectors/rpm_packages/repo_metadata.h"
#include "collectors/rpm_packages/repositories.h"
#include "core/clock.h"
#include "core/result.h"
#include "core/root.h"

namespace vouch::rpm_packages {

struct CachedMetadata {
  std::string directory;    // "/var/cache/dnf/baseos-0123456789abcdef/repodata"
  WallSeconds fetched = 0;  // When repomd.xml was last fetched, or found to be the newest.
  Repomd repomd;
};

class MetadataCache {
 public:
  MetadataCache(const Root& root, const ManagerConfig& config);

  // Where a repository's is kept; of several (its address was another before) the last that was
  // fetched. Empty: nowhere.
  [[nodiscard]] std::string find(const Repository& repository) const;
  // Errors: not_found (never fetched), invalid, as reading.
  [[nodiscard]] Result<CachedMetadata> read(const Repository& repository) const;
  // Feeds the file of that type to the reader. Errc::not_found: there is none of it.
  Status feed(const CachedMetadata& cached, std::string_view type, MetadataReader& reader) const;

 private:
  const Root& root_;
  std::vector<std::string> directories_;  // Of all repositories.
};

}  // namespace vouch::rpm_packages
