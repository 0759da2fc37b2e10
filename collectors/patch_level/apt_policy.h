// SPDX-License-Identifier: Apache-2.0
// apt's policy: which version of a package it would install. Plain computation over what the lists,
// the status file and the pins say; apt-cache policy gives the same answer.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/patch_level/apt_preferences.h"

namespace vouch::patch_level {

// One version of a package and where it can be had.
struct AvailableVersion {
  std::string version;
  std::string source;                 // The source package, for pins of `src:NAME`.
  std::string relations;              // relations_of(): a rebuild of one version is another one.
  std::optional<int> phased_percent;  // Of the machines that are to get it already (Ubuntu).
  std::vector<std::size_t> lists;     // Indexes of the lists that have it, in their order.
};

class AptPolicy {
 public:
  // `lists` in the order of apt's sources, the status file's origin last. `default_release` is the
  // value of APT::Default-Release, empty if there is none.
  AptPolicy(std::vector<Pin> pins, std::vector<ListOrigin> lists, std::string_view default_release,
            std::string native_architecture);

  [[nodiscard]] const std::vector<ListOrigin>& lists() const { return lists_; }
  // 500; 100 or 1 for NotAutomatic archives; 100 for the status file; or what a pin says.
  [[nodiscard]] int priority_of_list(std::size_t list) const { return priorities_[list]; }

  // The version that apt would install: an index into `versions`, which are sorted newest first,
  // equal ones in the order of the lists. `installed` is the index of the installed one.
  [[nodiscard]] std::optional<std::size_t> candidate(std::string_view name, std::string_view arch,
                                                     const std::vector<AvailableVersion>& versions,
                                                     std::optional<std::size_t> installed) const;

 private:
  [[nodiscard]] int priority_of_version(const std::vector<const Pin*>& pins,
                                        const AvailableVersion& version, bool is_installed) const;
  std::vector<Pin> pins_;
  std::vector<ListOrigin> lists_;
  std::string native_;
  std::vector<int> priorities_;
};

}  // namespace vouch::patch_level
