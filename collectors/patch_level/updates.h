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

// A newer version that the lists have, and that apt does not take for a pin or a default release:
// `apt list --upgradable` does not show it.
struct WithheldUpdate {
  const DebPackage* package;
  std::string version;  // What apt would install if nothing were pinned.
  std::string origin;
  std::string suite;
  bool security = false;  // As PackageUpdate::security.
};

// Where an installed package can be had.
struct PackageOrigin {
  const DebPackage* package;
  std::string origin;  // Of the archives that have exactly this version; empty if none has it.
  std::string suite;
  std::string component;
  bool is_listed = false;                    // Some archive has this version.
  std::optional<std::string> newest_listed;  // Of any version; none: no archive has the package.
};

struct UpdateReport {
  std::vector<PackageUpdate> updates;
  std::vector<WithheldUpdate> withheld;
  std::vector<PackageOrigin> origins;  // One for each package that is present.
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

  // By the policy whose last list is the status file; `unpinned` is the same without any pin. Call
  // once, after the lists.
  UpdateReport finish(const AptPolicy& policy, const AptPolicy& unpinned);

 private:
  struct Installed {
    const DebPackage* package;
    std::vector<AvailableVersion> versions;
  };
  std::string_view package_architecture(std::string_view arch) const;
  std::size_t add_present(Installed& installed, std::size_t status_list) const;
  std::optional<std::size_t> newer_version(const Installed& installed, std::size_t present,
                                           const AptPolicy& policy) const;

  std::string native_;
  std::vector<Installed> installed_;
  std::unordered_multimap<std::string_view, std::size_t> by_name_;  // Into installed_.
  std::size_t malformed_ = 0;
};

}  // namespace vouch::patch_level
