// SPDX-License-Identifier: Apache-2.0
#include "collectors/patch_level/kernel.h"

#include "collectors/patch_level/stanza.h"
#include "core/version_compare.h"

namespace vouch::patch_level {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "6.1.0-38" of "6.1.0-38-amd64" and "6.1.0-38-cloud-amd64"; "5.14.0-427.13.1.el9_4" of
// "5.14.0-427.13.1.el9_4.x86_64": what follows the first dash and a letter is the flavour.
std::string_view without_flavour(std::string_view release) {
  for (std::size_t dash = release.find('-'); dash != release.npos;
       dash = release.find('-', dash + 1)) {
    if (dash + 1 < release.size() && !is_digit(release[dash + 1])) return release.substr(0, dash);
  }
  for (const std::string_view machine : {".x86_64", ".aarch64", ".ppc64le", ".s390x"}) {
    if (release.ends_with(machine)) return release.substr(0, release.size() - machine.size());
  }
  return release;
}

}  // namespace

std::string kernel_release_of_package(std::string_view package) {
  constexpr std::string_view kPrefix = "linux-image-";
  constexpr std::string_view kUnsigned = "unsigned-";
  if (!package.starts_with(kPrefix)) return {};
  package.remove_prefix(kPrefix.size());
  if (package.starts_with(kUnsigned)) package.remove_prefix(kUnsigned.size());
  for (const std::string_view suffix : {"-dbg", "-dbgsym", "-unsigned"}) {
    if (package.ends_with(suffix)) {
      if (suffix != "-unsigned") return {};
      package.remove_suffix(suffix.size());
    }
  }
  // A kernel has at least two numbers; "linux-image-6.1" and "linux-image-amd64" are meta packages.
  const auto flavour = without_flavour(package);
  const bool is_kernel =
      !package.empty() && is_digit(package.front()) && flavour.find('.') != flavour.npos;
  return is_kernel && package.find('-') != package.npos ? std::string(package) : std::string();
}

int compare_kernel_releases(std::string_view a, std::string_view b) {
  return version_compare(VersionScheme::deb, without_flavour(a), without_flavour(b));
}

std::optional<InstalledKernel> newest_kernel(const std::vector<InstalledKernel>& installed,
                                             std::string_view running_release) {
  const InstalledKernel* best = nullptr;
  for (const InstalledKernel& kernel : installed) {
    const int order = best == nullptr ? 1 : compare_kernel_releases(kernel.release, best->release);
    const bool is_preferred = order == 0 && best->release != running_release &&
                              (kernel.release == running_release || kernel.release < best->release);
    if (order > 0 || is_preferred) best = &kernel;
  }
  return best == nullptr ? std::nullopt : std::optional(*best);
}

bool is_newest(const RunningKernel& running, const InstalledKernel& newest) {
  const int order = compare_kernel_releases(running.release, newest.release);
  if (order != 0) return order > 0;
  if (newest.package_version.empty() || running.release != newest.release) return true;
  const auto parts = words(running.build);
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    if (parts[i] != "Debian") continue;
    return version_compare(VersionScheme::deb, parts[i + 1], newest.package_version) >= 0;
  }
  return true;
}

}  // namespace vouch::patch_level
