// SPDX-License-Identifier: Apache-2.0
// Mounted and configured file systems: /proc/self/mounts and fstab(5), one format.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vouch::drift {

struct Mount {
  std::string device;
  std::string path;
  std::string type;
  std::string flags;  // Sorted, comma separated; values of secret ones redacted.
};

struct MountTable {
  std::vector<Mount> mounts;
  std::vector<int> faults;  // Numbers of lines with fewer than four fields.
};

// Octal escapes such as \040 are decoded. Comments and empty lines are skipped.
MountTable parse_mounts(std::string_view text);

// True if the root mount of a mountinfo (proc(5)) is a slave: the process lives in a mount
// namespace of its own, such as systemd makes for a sandboxed service.
bool is_private_namespace(std::string_view mountinfo);

}  // namespace vouch::drift
