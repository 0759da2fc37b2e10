// SPDX-License-Identifier: Apache-2.0
#include "collectors/rpm_packages/update_finder.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "core/version_compare.h"

namespace vouch::rpm_packages {
namespace {

int compare(const std::string& a, const std::string& b) {
  return version_compare(VersionScheme::rpm, a, b);
}

std::string evr_of(const ListedPackage& package) {
  return evr_text(package.epoch, package.version, package.release);
}

bool is_modular(const ListedPackage& package) {
  return package.release.find("module+") != package.release.npos ||
         package.release.find("module_") != package.release.npos;
}

bool any_fits(const std::vector<std::string>& patterns, const ListedPackage& package) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return pattern_fits(pattern, package); });
}

// The name in a lock: "bash-0:5.2-*" is one of bash, "bash" too.
bool is_lock_of(const std::string& pattern, const std::string& name) {
  if (pattern == name) return true;
  const auto release = pattern.rfind('-');
  const auto version =
      release == pattern.npos || release == 0 ? pattern.npos : pattern.rfind('-', release - 1);
  return version != pattern.npos && pattern.compare(0, version, name) == 0;
}

bool is_locked(const std::vector<VersionLock>& locks, const ListedPackage& package) {
  bool has_lock = false;
  bool is_held_to_this = false;
  for (const VersionLock& lock : locks) {
    if (lock.is_excluded) {
      if (pattern_fits(lock.pattern, package)) return true;
      continue;
    }
    if (!is_lock_of(lock.pattern, package.name)) continue;
    has_lock = true;
    is_held_to_this = is_held_to_this || pattern_fits(lock.pattern, package);
  }
  return has_lock && !is_held_to_this;
}

int severity_rank(std::string_view severity) {
  constexpr std::array<std::string_view, 4> kWorstFirst = {"Critical", "Important", "Moderate",
                                                           "Low"};
  for (std::size_t i = 0; i < kWorstFirst.size(); ++i) {
    if (kWorstFirst[i] == severity) return static_cast<int>(i);
  }
  return severity.empty() ? 9 : 8;
}

}  // namespace

bool pattern_fits(const std::string& pattern, const ListedPackage& package) {
  const std::string& n = package.name;
  const std::string vr = package.version + '-' + package.release;
  const std::string evr = package.epoch + ':' + vr;
  const std::array<std::string, 9> forms = {
      n,
      n + '.' + package.arch,
      n + '-' + package.version,
      n + '-' + vr,
      n + '-' + vr + '.' + package.arch,
      n + '-' + package.epoch + ':' + package.version,
      n + '-' + evr,
      n + '-' + evr + '.' + package.arch,
      package.epoch + ':' + n + '-' + vr + '.' + package.arch};
  return std::any_of(forms.begin(), forms.end(), [&](const std::string& form) {
    return ::fnmatch(pattern.c_str(), form.c_str(), 0) == 0;
  });
}

UpdateFinder::UpdateFinder(const ManagerConfig& config, const std::vector<ListedPackage>& installed)
    : config_(config) {
  for (const ListedPackage& package : installed) {
    packages_[package.name].installed.push_back({package.arch, evr_of(package), package.vendor});
  }
}

std::string UpdateFinder::kept_by(std::size_t repository, const ListedPackage& package) const {
  const Repository& from = config_.repositories[repository];
  if (any_fits(config_.excludes, package) || any_fits(from.excludes, package)) return "excludepkgs";
  const bool is_left_out = !config_.includes.empty() && !any_fits(config_.includes, package);
  const bool is_left_out_here = !from.includes.empty() && !any_fits(from.includes, package);
  if (is_left_out || is_left_out_here) return "includepkgs";
  if (is_locked(config_.locks, package)) return "versionlock";
  const auto& locks = config_.zypper_locks;
  const bool is_held = std::any_of(locks.begin(), locks.end(), [&](const std::string& lock) {
    return ::fnmatch(lock.c_str(), package.name.c_str(), 0) == 0;
  });
  return is_held ? "lock" : "";
}

void UpdateFinder::take(std::size_t repository, const ListedPackage& package) {
  const auto found = packages_.find(package.name);
  if (found == packages_.end()) return;
  if (is_modular(package)) {
    has_modules_ = true;
    return;
  }
  Candidate candidate{{package.arch, evr_of(package), package.vendor}, repository, {}};
  if (upgraded(found->second, candidate.version) == nullptr) {
    // Not newer, but of the better repository it hides what is.
    if (kept_by(repository, package).empty()) found->second.candidates.push_back(candidate);
    return;
  }
  candidate.kept_by = kept_by(repository, package);
  found->second.candidates.push_back(std::move(candidate));
}

void UpdateFinder::take(const Advisory& advisory) {
  if (advisory.type != "security") return;
  for (const ListedPackage& package : advisory.packages) {
    const auto found = packages_.find(package.name);
    if (found == packages_.end()) continue;
    Fix fix{package.arch, evr_of(package), advisory.id, advisory.severity};
    if (upgraded(found->second, {fix.arch, fix.evr, {}}) != nullptr) {
      found->second.fixes.push_back(std::move(fix));
    }
  }
}

// As libdnf: of all versions that are installed for that architecture none may be as new; the
// newest of them is what is updated.
const UpdateFinder::Version* UpdateFinder::upgraded(const Package& package,
                                                    const Version& candidate) {
  const Version* newest = nullptr;
  for (const Version& installed : package.installed) {
    const bool is_of_kind = installed.arch == candidate.arch || installed.arch == "noarch" ||
                            candidate.arch == "noarch";
    if (!is_of_kind) continue;
    if (compare(installed.evr, candidate.evr) >= 0) return nullptr;
    if (newest == nullptr || compare(installed.evr, newest->evr) > 0) newest = &installed;
  }
  return newest;
}

RpmUpdate UpdateFinder::make_update(const std::string& name, const Package& package,
                                    const Candidate& candidate) const {
  const Version& version = candidate.version;
  RpmUpdate update;
  update.name = name;
  update.arch = version.arch;
  update.installed_version = upgraded(package, version)->evr;
  update.candidate_version = version.evr;
  update.repository = config_.repositories[candidate.repository].id;
  update.reason = candidate.kept_by;
  std::set<std::string> advisories;
  for (const Fix& fix : package.fixes) {
    if (fix.arch != version.arch || compare(fix.evr, version.evr) > 0) continue;
    update.is_security = true;
    advisories.insert(fix.advisory);
    if (severity_rank(fix.severity) < severity_rank(update.severity)) {
      update.severity = fix.severity;
    }
  }
  update.advisories = fmt::format("{}", fmt::join(advisories, ","));
  return update;
}

// zypper takes nothing of another vendor by itself, and lets it hide nothing either.
void UpdateFinder::keep_vendor(Package& package) {
  for (Candidate& candidate : package.candidates) {
    const bool is_known = std::any_of(
        package.installed.begin(), package.installed.end(),
        [&](const Version& installed) { return installed.vendor == candidate.version.vendor; });
    if (candidate.kept_by.empty() && !is_known) candidate.kept_by = "vendor";
  }
}

void UpdateFinder::find_in(const std::string& name, Package package, Found& found) const {
  if (config_.manager == Manager::zypper) keep_vendor(package);
  int best_priority = std::numeric_limits<int>::max();
  for (const Candidate& candidate : package.candidates) {
    if (!candidate.kept_by.empty()) continue;
    best_priority = std::min(best_priority, config_.repositories[candidate.repository].priority);
  }
  std::map<std::string, const Candidate*> taken;
  std::map<std::string, const Candidate*> newest;
  const auto keep_newer = [](const Candidate*& kept, const Candidate& candidate) {
    const bool is_newer = kept == nullptr || compare(candidate.version.evr, kept->version.evr) > 0;
    if (is_newer) kept = &candidate;
  };
  for (Candidate& candidate : package.candidates) {
    if (upgraded(package, candidate.version) == nullptr) continue;
    const bool is_behind = config_.repositories[candidate.repository].priority > best_priority;
    if (candidate.kept_by.empty() && is_behind) candidate.kept_by = "priority";
    keep_newer(newest[candidate.version.arch], candidate);
    if (candidate.kept_by.empty()) keep_newer(taken[candidate.version.arch], candidate);
  }
  for (const auto& [arch, candidate] : taken) {
    found.updates.push_back(make_update(name, package, *candidate));
  }
  for (const auto& [arch, candidate] : newest) {
    const auto mine = taken.find(arch);
    const bool is_taken =
        mine != taken.end() && compare(mine->second->version.evr, candidate->version.evr) >= 0;
    if (!is_taken) found.withheld.push_back(make_update(name, package, *candidate));
  }
}

UpdateFinder::Found UpdateFinder::find() const {
  Found found;
  for (const auto& [name, package] : packages_) find_in(name, package, found);
  return found;
}

}  // namespace vouch::rpm_packages
