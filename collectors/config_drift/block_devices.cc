// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/block_devices.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include "collectors/facts/lines.h"

namespace vouch::drift {
namespace {

constexpr std::size_t kAttributeBytesMax = 64 << 10;
constexpr std::int64_t kSectorBytes = 512;  // sysfs counts these, whatever the disk's are.
constexpr std::string_view kClass = "/sys/class/block/";

std::optional<std::string> attribute(const Root& root, const std::string& path) {
  const auto text = root.read(path, kAttributeBytesMax);
  if (!text) return std::nullopt;
  return std::string(facts::trim(text->substr(0, text->find('\n'))));
}

std::int64_t number(const std::optional<std::string>& text) {
  std::int64_t value = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

// "CRYPT-LUKS2-…", "LVM-…", "mpath-…": who made a device-mapper device.
std::string mapper_type(const std::string& uuid) {
  if (uuid.starts_with("CRYPT-")) return "crypt";
  if (uuid.starts_with("LVM-")) return "lvm";
  if (uuid.starts_with("mpath-")) return "multipath";
  return "mapper";
}

std::string type_of(const std::string& name) {
  if (name.starts_with("loop")) return "loop";
  if (name.starts_with("md")) return "raid";
  if (name.starts_with("zram") || name.starts_with("ram")) return "ram";
  if (name.starts_with("sr")) return "optical";
  return "disk";
}

// Links in /sys/class/block lead to ../../devices/…/sda/sda1: a partition lies in its disk.
std::string disk_of(const Root& root, const std::string& base) {
  const auto link = root.read_link(base);
  if (!link) return "";
  const std::string_view parent = std::string_view(*link).substr(0, link->rfind('/'));
  return std::string(facts::base_name(parent));
}

BlockDevice read_device(const Root& root, const std::string& name) {
  const std::string base = std::string(kClass) + name;
  BlockDevice device{name, "/dev/" + name, type_of(name), {}, 0, false, false};
  // "!" stands for "/" in names such as cciss!c0d0.
  std::replace(device.device.begin(), device.device.end(), '!', '/');
  device.size_bytes = number(attribute(root, base + "/size")) * kSectorBytes;
  device.removable = attribute(root, base + "/removable").value_or("") == "1";
  device.parents = root.list(base + "/slaves").value_or({});
  if (attribute(root, base + "/partition")) {
    device.type = "partition";
    device.parents = {disk_of(root, base)};
  }
  if (const auto mapper = attribute(root, base + "/dm/name")) {
    device.device = "/dev/mapper/" + *mapper;
    device.type = mapper_type(attribute(root, base + "/dm/uuid").value_or(""));
  }
  return device;
}

class Encryption {
 public:
  explicit Encryption(std::vector<BlockDevice>& devices) {
    for (BlockDevice& device : devices) by_name_[device.name] = &device;
  }

  // Not for ever, whatever sysfs says: devices cannot be stacked deeper than this.
  bool covers(const std::string& name, int depth = 0) const {
    constexpr int kDepthMax = 16;
    const auto found = by_name_.find(name);
    if (found == by_name_.end() || depth > kDepthMax) return false;
    const BlockDevice& device = *found->second;
    if (device.type == "crypt") return true;
    return !device.parents.empty() &&
           std::all_of(device.parents.begin(), device.parents.end(),
                       [&](const std::string& parent) { return covers(parent, depth + 1); });
  }

 private:
  std::map<std::string, BlockDevice*> by_name_;
};

}  // namespace

Result<BlockDevices> read_block_devices(const Root& root) {
  const auto names = root.list(kClass.substr(0, kClass.size() - 1));
  if (!names) return names.error();
  BlockDevices out;
  for (const std::string& name : *names) {
    BlockDevice device = read_device(root, name);
    const bool is_unused = device.size_bytes == 0 || device.type == "ram";
    if (!is_unused) out.devices.push_back(std::move(device));
  }
  const Encryption encryption(out.devices);
  for (BlockDevice& device : out.devices) device.encrypted = encryption.covers(device.name);
  return out;
}

}  // namespace vouch::drift
