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

std::optional<PackageUpdate> UpdateFinder::update_of(Installed& installed,
                                                     const AptPolicy& policy) const {
  const DebPackage& package = *installed.package;
  const std::size_t status_list = policy.lists().size() - 1;
  auto& versions = installed.versions;
  add_version(versions, {package.version, package.source, package.relations, {}, {status_list}});
  std::stable_sort(versions.begin(), versions.end(), [](const auto& a, const auto& b) {
    return version_compare(VersionScheme::deb, a.version, b.version) > 0;
  });
  const auto present = std::find_if(versions.begin(), versions.end(), [&](const auto& version) {
    return version.lists.back() == status_list;
  });
  const auto present_index = static_cast<std::size_t>(present - versions.begin());
  const auto candidate =
      policy.candidate(package.name, package_architecture(package.arch), versions, present_index);
  // Only what stands before the installed version is newer, or a rebuild that apt would fetch.
  if (!candidate || *candidate >= present_index) return std::nullopt;

  PackageUpdate update{&package, versions[*candidate].version,       {}, {},
                       false,    versions[*candidate].phased_percent};
  std::set<std::string> origins;
  std::set<std::string> suites;
  for (const std::size_t list : versions[*candidate].lists) {
    const Release& release = policy.lists()[list].release;
    if (!release.origin.empty()) origins.insert(release.origin);
    if (const auto& suite = release.suite.empty() ? release.codename : release.suite;
        !suite.empty()) {
      suites.insert(suite);
    }
  }
  update.origin = joined(origins);
  update.suite = joined(suites);
  for (std::size_t i = *candidate; i < present_index; ++i) {
    for (const std::size_t list : versions[i].lists) {
      update.security = update.security || policy.lists()[list].release.is_security();
    }
  }
  return update;
}

std::vector<PackageUpdate> UpdateFinder::finish(const AptPolicy& policy) {
  std::vector<PackageUpdate> updates;
  for (Installed& installed : installed_) {
    if (auto update = update_of(installed, policy)) updates.push_back(*std::move(update));
  }
  return updates;
}

}  // namespace vouch::patch_level
