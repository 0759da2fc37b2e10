// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/updates.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "collectors/patch_level/stanza.h"
#include "core/version_compare.h"

namespace vouch::patch_level {
namespace {

std::optional<int> parse_percent(std::string_view text) {
  int value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value < 0 || value > 100) return std::nullopt;
  return value;
}

// The same version with the same relations is one version that several lists have.
void add_version(std::vector<AvailableVersion>& versions, AvailableVersion version) {
  for (AvailableVersion& known : versions) {
    if (known.version != version.version || known.relations != version.relations) continue;
    known.lists.insert(known.lists.end(), version.lists.begin(), version.lists.end());
    return;
  }
  versions.push_back(std::move(version));
}

std::string joined(const std::set<std::string>& names) {
  std::string result;
  for (const std::string& name : names) result += (result.empty() ? "" : ",") + name;
  return result;
}

// What each list of the version says by `name`, each word once.
template <typename Name>
std::string names_of(const AvailableVersion& version, const std::vector<ListOrigin>& lists,
                     const Name& name) {
  std::set<std::string> names;
  for (const std::size_t list : version.lists) {
    if (const std::string& word = name(lists[list]); !word.empty()) names.insert(word);
  }
  return joined(names);
}

std::string origins_of(const AvailableVersion& version, const std::vector<ListOrigin>& lists) {
  return names_of(version, lists,
                  [](const ListOrigin& l) -> const std::string& { return l.release.origin; });
}

std::string suites_of(const AvailableVersion& version, const std::vector<ListOrigin>& lists) {
  return names_of(version, lists, [](const ListOrigin& l) -> const std::string& {
    return l.release.suite.empty() ? l.release.codename : l.release.suite;
  });
}

// A version from `first` to before `last` comes from a security archive.
bool brings_security(const std::vector<AvailableVersion>& versions, std::size_t first,
                     std::size_t last, const std::vector<ListOrigin>& lists) {
  for (std::size_t i = first; i < last; ++i) {
    for (const std::size_t list : versions[i].lists) {
      if (lists[list].release.is_security()) return true;
    }
  }
  return false;
}

PackageOrigin origin_of(const DebPackage& package, const std::vector<AvailableVersion>& versions,
                        std::size_t present, const std::vector<ListOrigin>& lists) {
  PackageOrigin origin{&package, {}, {}, {}, false, {}};
  AvailableVersion listed = versions[present];
  listed.lists.pop_back();  // The status file.
  origin.is_listed = !listed.lists.empty();
  origin.origin = origins_of(listed, lists);
  origin.suite = suites_of(listed, lists);
  origin.component = names_of(
      listed, lists, [](const ListOrigin& l) -> const std::string& { return l.component; });
  for (std::size_t i = 0; i < versions.size() && !origin.newest_listed; ++i) {
    if (i != present || origin.is_listed) origin.newest_listed = versions[i].version;
  }
  return origin;
}

}  // namespace

UpdateFinder::UpdateFinder(const DpkgStatus& status, std::string native_architecture)
    : native_(std::move(native_architecture)) {
  for (const DebPackage& package : status.packages) {
    if (!package.is_present()) continue;
    by_name_.emplace(package.name, installed_.size());
    installed_.push_back({&package, {}});
  }
}

// To apt, a package of architecture `all` is one of the host's own.
std::string_view UpdateFinder::package_architecture(std::string_view arch) const {
  return arch == "all" ? std::string_view(native_) : arch;
}

void UpdateFinder::add(std::size_t list, std::string_view stanza) {
  constexpr std::string_view kFirst = "Package: ";
  const auto name = stanza.starts_with(kFirst)
                        ? trim(stanza.substr(kFirst.size(), stanza.find('\n') - kFirst.size()))
                        : raw_field(stanza, "Package");
  if (name.empty()) {
    ++malformed_;
    return;
  }
  const auto [begin, end] = by_name_.equal_range(name);
  if (begin == end) return;
  const auto arch = raw_field(stanza, "Architecture");
  const auto version = raw_field(stanza, "Version");
  if (arch.empty() || version.empty()) {
    ++malformed_;
    return;
  }
  for (auto entry = begin; entry != end; ++entry) {
    Installed& installed = installed_[entry->second];
    if (package_architecture(installed.package->arch) != package_architecture(arch)) continue;
    AvailableVersion available;
    available.version = version;
    const auto source = raw_field(stanza, "Source");
    available.source = source.empty() ? name : source.substr(0, source.find(' '));
    available.relations =
        relations_of([&](std::string_view field) { return raw_field(stanza, field); });
    available.phased_percent = parse_percent(raw_field(stanza, "Phased-Update-Percentage"));
    available.lists = {list};
    add_version(installed.versions, std::move(available));
  }
}

// Adds the installed version to those of the lists and sorts them; says where it came to stand.
std::size_t UpdateFinder::add_present(Installed& installed, std::size_t status_list) const {
  const DebPackage& package = *installed.package;
  auto& versions = installed.versions;
  add_version(versions, {package.version, package.source, package.relations, {}, {status_list}});
  std::stable_sort(versions.begin(), versions.end(), [](const auto& a, const auto& b) {
    return version_compare(VersionScheme::deb, a.version, b.version) > 0;
  });
  const auto present = std::find_if(versions.begin(), versions.end(), [&](const auto& version) {
    return version.lists.back() == status_list;
  });
  return static_cast<std::size_t>(present - versions.begin());
}

std::optional<std::size_t> UpdateFinder::newer_version(const Installed& installed,
                                                       std::size_t present,
                                                       const AptPolicy& policy) const {
  const DebPackage& package = *installed.package;
  const auto candidate = policy.candidate(package.name, package_architecture(package.arch),
                                          installed.versions, present);
  // Only what stands before the installed version is newer, or a rebuild that apt would fetch.
  if (!candidate || *candidate >= present) return std::nullopt;
  return candidate;
}

UpdateReport UpdateFinder::finish(const AptPolicy& policy, const AptPolicy& unpinned) {
  UpdateReport report;
  const auto& lists = policy.lists();
  for (Installed& installed : installed_) {
    const std::size_t present = add_present(installed, lists.size() - 1);
    const auto& versions = installed.versions;
    report.origins.push_back(origin_of(*installed.package, versions, present, lists));
    const auto update = newer_version(installed, present, policy);
    if (update) {
      const AvailableVersion& version = versions[*update];
      report.updates.push_back({installed.package, version.version, origins_of(version, lists),
                                suites_of(version, lists),
                                brings_security(versions, *update, present, lists),
                                version.phased_percent});
    }
    const auto natural = newer_version(installed, present, unpinned);
    if (natural && *natural < update.value_or(present)) {
      const AvailableVersion& version = versions[*natural];
      report.withheld.push_back(
          {installed.package, version.version, origins_of(version, lists),
           suites_of(version, lists),
           brings_security(versions, *natural, update.value_or(present), lists)});
    }
  }
  return report;
}

}  // namespace vouch::patch_level
