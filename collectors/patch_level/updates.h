// SPDX-License-Identifier: Apache-2.0
// Pending updates: the installed packages for which apt has a newer candidate. The answer of
// `apt list --upgradable`, computed from the lists that apt fetched last.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "collectors/patch_level/apt_policy.h"
#include "collectors/patch_level/dpkg_status.h"

namespace vouch::patch_level {

struct PackageUpdate {
  const DebPackage* package;  // As installed.
  std::string candidate_version;
  std::string origin;  // Of the archives that have the candidate; several: sorted, by commas.
  std::string suite;   // The same.
  // The candidate, or a version between it and the installed one, comes from a security archive:
  // a point release that brings a security fix along is a security update.
  bool security = false;
  std::optional<int> phased_percent;
};

// Takes in the lists, stanza by stanza, and keeps of them what concerns installed packages.
class UpdateFinder {
 public:
  // `status` must outlive the finder.
  UpdateFinder(const DpkgStatus& status, std::string native_architecture);

  // One stanza of the list with this index. Stanzas without name, architecture or version are
  // counted, see malformed().
  void add(std::size_t list, std::string_view stanza);
  [[nodiscard]] std::size_t malformed() const { return malformed_; }

  // The updates by the policy whose last list is the status file. Call once, after the lists.
  std::vector<PackageUpdate> finish(const AptPolicy& policy);

 private:
  struct Installed {
    const DebPackage* package;
    std::vector<AvailableVersion> versions;
  };
  std::string_view package_architecture(std::string_view arch) const;
  std::optional<PackageUpdate> update_of(Installed& installed, const AptPolicy& policy) const;

  std::string native_;
  std::vector<Installed> installed_;
  std::unordered_multimap<std::string_view, std::size_t> by_name_;  // Into installed_.
  std::size_t malformed_ = 0;
};

}  // namespace vouch::patch_level
