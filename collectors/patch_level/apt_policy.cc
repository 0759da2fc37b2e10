// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/apt_policy.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/version_compare.h"

namespace vouch::patch_level {
namespace {

constexpr int kPriorityDefault = 500;
constexpr int kPriorityInstalled = 100;
constexpr int kPriorityNotAutomatic = 1;
constexpr int kPriorityDefaultRelease = 990;
constexpr int kPriorityDowngrades = 1000;  // From here on a candidate may be older than installed.

int base_priority(const ListOrigin& list) {
  if (list.is_status || list.release.but_automatic_upgrades) return kPriorityInstalled;
  return list.release.not_automatic ? kPriorityNotAutomatic : kPriorityDefault;
}

}  // namespace

AptPolicy::AptPolicy(std::vector<Pin> pins, std::vector<ListOrigin> lists,
                     std::string_view default_release, std::string native_architecture)
    : pins_(std::move(pins)), lists_(std::move(lists)), native_(std::move(native_architecture)) {
  std::vector<Pin> general;
  if (!default_release.empty()) {
    general.push_back(
        {{}, Pin::Kind::release, std::string(default_release), kPriorityDefaultRelease});
  }
  std::copy_if(pins_.begin(), pins_.end(), std::back_inserter(general),
               [](const Pin& pin) { return pin.packages.empty(); });
  std::erase_if(pins_, [](const Pin& pin) { return pin.packages.empty(); });
  for (const ListOrigin& list : lists_) {
    // The first pin that matches a list decides.
    const auto pin = std::find_if(general.begin(), general.end(),
                                  [&](const Pin& candidate) { return matches(candidate, list); });
    priorities_.push_back(pin == general.end() ? base_priority(list) : pin->priority);
  }
}

int AptPolicy::priority_of_version(const std::vector<const Pin*>& pins,
                                   const AvailableVersion& version, bool is_installed) const {
  for (const Pin* pin : pins) {
    const bool is_match =
        matches_version(*pin, version.version) ||
        std::any_of(version.lists.begin(), version.lists.end(),
                    [&](std::size_t list) { return matches(*pin, lists_[list]); });
    if (is_match) return pin->priority;
  }
  int priority = std::numeric_limits<int>::min();
  for (const std::size_t list : version.lists) {
    const bool is_leftover = lists_[list].is_status && !is_installed;
    priority = std::max(priority, is_leftover ? -1 : priorities_[list]);
  }
  return version.lists.empty() ? 0 : priority;
}

std::optional<std::size_t> AptPolicy::candidate(std::string_view name, std::string_view arch,
                                                const std::vector<AvailableVersion>& versions,
                                                std::optional<std::size_t> installed) const {
  std::optional<std::size_t> best;
  int best_priority = -1;
  for (std::size_t i = 0; i < versions.size(); ++i) {
    std::vector<const Pin*> pins;
    for (const Pin& pin : pins_) {
      if (names_package(pin, name, arch, native_, versions[i].source)) pins.push_back(&pin);
    }
    const int priority = priority_of_version(pins, versions[i], installed == i);
    if (priority == 0 || priority <= best_priority) continue;
    const bool is_downgrade = installed && version_compare(VersionScheme::deb, versions[i].version,
                                                           versions[*installed].version) < 0;
    if (is_downgrade && priority < kPriorityDowngrades) continue;
    best_priority = priority;
    best = i;
  }
  return best;
}

}  // namespace vouch::patch_level
