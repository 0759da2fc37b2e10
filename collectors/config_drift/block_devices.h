// SPDX-License-Identifier: Apache-2.0
// Block devices as sysfs shows them: what lies on what, and what of it is encrypted.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/root.h"

namespace vouch::drift {

struct BlockDevice {
  std::string name;                  // The kernel's: "sda1", "dm-0"
  std::string device;                // As mounts name it: "/dev/sda1", "/dev/mapper/vg-root"
  std::string type;                  // "disk", "partition", "crypt", "lvm", "raid", "loop" …
  std::vector<std::string> parents;  // Names of what it lies on, sorted.
  std::int64_t size_bytes = 0;
  bool removable = false;
  bool encrypted = false;  // Itself, or everything that it lies on.
};

struct BlockDevices {
  std::vector<BlockDevice> devices;
  std::vector<std::pair<std::string, Error>> gaps;
};

// From /sys/class/block below `root`.
Result<BlockDevices> read_block_devices(const Root& root);

}  // namespace vouch::drift
