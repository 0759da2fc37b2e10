// SPDX-License-Identifier: Apache-2.0
#include "collectors/sdk/foreign_mounts.h"

#include <algorithm>
#include <array>

#include "collectors/sdk/host_mounts.h"
#include "core/file.h"

namespace vouch::sdk {
namespace {

constexpr std::size_t kMountsBytesMax = 16 << 20;

template <std::size_t size>
bool is_one_of(std::string_view type, const std::array<std::string_view, size>& types) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

bool is_kernels_type(std::string_view type) {
  static constexpr std::array<std::string_view, 20> kTypes{
      "proc",     "sysfs",  "devpts",    "cgroup",     "cgroup2",   "pstore",     "bpf",
      "autofs",   "mqueue", "hugetlbfs", "debugfs",    "tracefs",   "securityfs", "configfs",
      "efivarfs", "nfsd",   "nsfs",      "rpc_pipefs", "selinuxfs", "binfmt_misc"};
  return is_one_of(type, kTypes);
}

// "\040" is a blank.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_octal = text[i] == '\\' && i + 3 < text.size() &&
                          text.find_first_not_of("01234567", i + 1) >= i + 4;
    if (!is_octal) {
      out += text[i];
      continue;
    }
    out += static_cast<char>((text[i + 1] - '0') << 6 | (text[i + 2] - '0') << 3 |
                             (text[i + 3] - '0'));
    i += 3;
  }
  return out;
}

std::string_view take_word(std::string_view& line) {
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(line.size(), word.size() + 1));
  return word;
}

}  // namespace

bool is_askable_type(std::string_view type) {
  static constexpr std::array<std::string_view, 17> kTypes{
      "nfs",  "nfs4",     "cifs",   "smb3",   "smbfs", "9p",        "afs",  "ceph", "ncpfs",
      "gfs2", "virtiofs", "lustre", "beegfs", "gpfs",  "glusterfs", "coda", "ocfs2"};
  return type == "fuse" || type.starts_with("fuse.") || type == "fuseblk" ||
         is_one_of(type, kTypes);
}

void for_each_mount(std::string_view mounts,
                    const std::function<void(std::string, std::string_view)>& take) {
  while (!mounts.empty()) {
    std::string_view line = mounts.substr(0, mounts.find('\n'));
    mounts.remove_prefix(std::min(mounts.size(), line.size() + 1));
    take_word(line);
    std::string path = unescape(take_word(line));
    const std::string_view type = take_word(line);
    if (!type.empty()) take(std::move(path), type);
  }
}

std::set<std::string> foreign_mount_points(std::string_view mounts, std::string_view prefix) {
  std::set<std::string> points;
  for_each_mount(mounts, [&](const std::string& path, std::string_view type) {
    const bool is_foreign =
        is_askable_type(type) || type.starts_with("fuse") || is_kernels_type(type);
    if (is_foreign && path.size() > prefix.size() + 1 && path.starts_with(prefix) &&
        path[prefix.size()] == '/') {
      points.insert(path.substr(prefix.size()));
    }
  });
  return points;
}

Result<std::set<std::string>> foreign_mounts(const Root& root) {
  // Of this process, too: a sandbox adds some.
  const auto host = Root::open("/");
  if (!host) return host.error();
  const auto own = host->read("/proc/self/mounts", kMountsBytesMax);
  if (!own) return own.error();
  const std::string prefix = root.is_host() ? "" : root.path();
  auto points = foreign_mount_points(*own, prefix);
  const auto handed = host_mounts(kMountsBytesMax);
  if (handed) points.merge(foreign_mount_points(*handed, prefix));
  return points;
}

}  // namespace vouch::sdk
