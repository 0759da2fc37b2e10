// SPDX-License-Identifier: Apache-2.0
// dpkg's status file and package lists: what is read is well formed, and problems are bounded.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "collectors/patch_level/dpkg_status.h"
#include "collectors/patch_level/release.h"
#include "collectors/patch_level/updates.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace pl = vouch::patch_level;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  pl::DpkgStatus status = pl::parse_dpkg_status(text, pl::Relations::wanted);
  if (status.problems.size() > 22) std::abort();
  for (const pl::DebPackage& package : status.packages) {
    if (package.name.empty() || package.version.empty() || package.arch.empty()) std::abort();
  }
  pl::UpdateFinder finder(status, "amd64");
  finder.add(0, text);
  pl::ListOrigin archive;
  const auto release = pl::parse_release(text);
  if (release) archive.release = *release;
  const pl::AptPolicy policy(pl::parse_preferences(text).pins, {archive, pl::status_origin()}, "",
                             "amd64");
  const pl::AptPolicy unpinned({}, policy.lists(), "", "amd64");
  for (const pl::PackageUpdate& update : finder.finish(policy, unpinned).updates) {
    if (update.candidate_version.empty()) std::abort();
  }
  pl::parse_extended_states(text);
  return 0;
}
