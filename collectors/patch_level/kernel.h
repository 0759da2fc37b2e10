// SPDX-License-Identifier: Apache-2.0
// The running kernel against the newest one that is installed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vouch::patch_level {

// A kernel that could be booted.
struct InstalledKernel {
  std::string release;          // As `uname -r` would say: "6.1.0-38-amd64".
  std::string package_version;  // Of its package: "6.1.147-1"; empty if it is known by files only.
};

// What uname(2) says.
struct RunningKernel {
  std::string release;
  std::string build;  // The version line: Debian puts the package's version there.
};

// "6.1.0-38-amd64" of "linux-image-6.1.0-38-amd64" or "linux-image-unsigned-…"; empty for what is
// no kernel: meta packages, debug symbols.
std::string kernel_release_of_package(std::string_view package);

// -1, 0, 1 by version, without the flavour ("amd64", "cloud-amd64", "generic"): flavours of one
// version are equally new.
int compare_kernel_releases(std::string_view a, std::string_view b);

// The newest of them; among equally new ones the running one, else the first by name.
std::optional<InstalledKernel> newest_kernel(const std::vector<InstalledKernel>& installed,
                                             std::string_view running_release);

// Debian rebuilds a kernel under the same release: then the package's version tells, which Debian's
// kernels have in their version line.
bool is_newest(const RunningKernel& running, const InstalledKernel& newest);

}  // namespace vouch::patch_level
