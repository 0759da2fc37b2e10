// SPDX-License-Identifier: Apache-2.0
// What dpkg and apt know of the packages on a host: /var/lib/dpkg/status (with the journal in
// /var/lib/dpkg/updates) and /var/lib/apt/extended_states.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace vouch::patch_level {

struct DebPackage {
  std::string name;
  std::string arch;
  std::string version;
  std::string source;          // The package itself if it names no other.
  std::string source_version;  // The package's version if the source has the same.
  std::string status;          // The third word of Status: "installed", "config-files", …
  bool held = false;
  std::string relations;  // See relations_of(): tells rebuilds of one version apart.

  // There are files of it on the disk (dpkg: neither not-installed nor config-files).
  [[nodiscard]] bool is_present() const;
};

// An entry that could not be read; the others stand.
struct Problem {
  std::string object;  // The package, or "line N".
  std::string message;
};

struct DpkgStatus {
  std::vector<DebPackage> packages;  // In file order; one entry per name and architecture.
  std::vector<Problem> problems;
};

// Whether DebPackage::relations are filled; only the search for updates needs them.
enum class Relations { skipped, wanted };

// Never fails: what is no entry is a problem. A text that does not end with an empty line, as dpkg
// ends it, was cut off: a problem of its own, named "end of file".
DpkgStatus parse_dpkg_status(std::string_view text, Relations relations);

// Puts `update` (a file of dpkg's journal, newer than the status file) over `status`.
void apply_update(DpkgStatus& status, DpkgStatus update);

// "name:arch" of the packages that apt installed for others (Auto-Installed: 1).
std::unordered_set<std::string> parse_extended_states(std::string_view text);

// The architecture that dpkg was built for: that of the package dpkg; empty if it is not there.
std::string native_architecture(const DpkgStatus& status);

// The fields by which apt tells two builds of one version apart (dependencies, conflicts,
// Multi-Arch), in the normal form that undoes dpkg's reformatting. `get` returns a field's value.
std::string relations_of(const std::function<std::string_view(std::string_view)>& get);

}  // namespace vouch::patch_level
