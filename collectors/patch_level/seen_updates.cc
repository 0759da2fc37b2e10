// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/seen_updates.h"

namespace vouch::patch_level {

void observe(facts::UpdateMemory& memory, const std::vector<PackageUpdate>& updates,
             const DpkgStatus& status, WallSeconds now, bool is_whole) {
  facts::InstalledVersions versions;
  for (const DebPackage& package : status.packages) {
    if (package.is_present()) versions[{package.name, package.arch}] = package.version;
  }
  std::vector<facts::SeenUpdate> seen;
  for (const PackageUpdate& update : updates) {
    seen.push_back(
        {update.package->name, update.package->arch, update.package->version, update.security});
  }
  memory.observe(seen, versions, VersionScheme::deb, now, is_whole);
}

}  // namespace vouch::patch_level
