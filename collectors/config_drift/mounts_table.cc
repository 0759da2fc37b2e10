// SPDX-License-Identifier: Apache-2.0
// The tables mounts, mount_usage and memory_usage.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <string>

#include "collectors/config_drift/config_drift.h"
#include "collectors/config_drift/mount_table.h"
#include "collectors/config_drift/mount_usage.h"
#include "collectors/sdk/context.h"
#include "collectors/sdk/host_mounts.h"

namespace vouch::drift {
namespace {

using sdk::Context;
using sdk::Rows;

constexpr std::size_t kTextBytesMax = 16 << 20;
constexpr std::chrono::milliseconds kRemoteDeadline{1500};
constexpr int kMemoryStep = 5;

// The mounts of the host are those of process 1; a sandboxed reader has its own, and may have been
// handed the others.
Result<std::string> read_host_mounts(const Root& root, Rows& rows) {
  auto text = sdk::host_mounts(kTextBytesMax);
  if (!text) text = root.read("/proc/1/mounts", kTextBytesMax);
  if (text) return text;
  const auto mountinfo = root.read("/proc/self/mountinfo", kTextBytesMax);
  if (!mountinfo || is_private_namespace(*mountinfo)) {
    rows.gap("/proc/1/mounts", {Errc::denied, "shown are the mounts of the collector's sandbox"});
  }
  return root.read("/proc/self/mounts", kTextBytesMax);
}

void add_mounts(Rows& rows, std::string_view text, std::string_view file, std::string_view source) {
  const MountTable table = parse_mounts(text);
  for (const int line : table.faults) {
    rows.gap(fmt::format("{}:{}", file, line), {Errc::invalid, "has fewer than four fields"});
  }
  for (const Mount& mount : table.mounts) {
    rows.add({mount.path, mount.device, mount.type, mount.flags, source});
  }
}

Status collect_mounts(Context& context, Rows& rows) {
  const Root& root = context.root();
  if (context.is_host()) {
    const auto text = read_host_mounts(root, rows);
    if (!text) return text.error();
    add_mounts(rows, *text, "/proc/1/mounts", "kernel");
  }
  const auto fstab = root.read("/etc/fstab", kTextBytesMax);
  if (fstab) {
    add_mounts(rows, *fstab, "/etc/fstab", "fstab");
  } else if (fstab.error().code != Errc::not_found) {
    if (!context.is_host()) return fstab.error();
    rows.gap("/etc/fstab", fstab.error());
  }
  return Ok{};
}

bool is_read_only(const Mount& mount) {
  return mount.flags == "ro" || mount.flags.starts_with("ro,") ||
         mount.flags.find(",ro,") != std::string::npos || mount.flags.ends_with(",ro");
}

// Of several mounts of one file system the first stands for all.
class UsageRows {
 public:
  explicit UsageRows(Rows& rows) : rows_(rows) {}

  void add(const Mount& mount, const Result<Usage>& usage) {
    if (!usage) {
      // A path that is not here belongs to another mount namespace, or is hidden by a later mount.
      // A file system that a user runs for himself is closed to all others, and no room of the
      // host.
      const bool is_elsewhere = usage.error().code == Errc::not_found;
      const bool is_users = mount.type.starts_with("fuse") && usage.error().code == Errc::denied;
      if (!is_elsewhere && !is_users) rows_.gap(mount.path, usage.error());
      return;
    }
    if (usage->size_bytes == 0 || !devices_.insert(usage->device).second) return;
    rows_.add({mount.path, mount.device, mount.type, usage->size_bytes, usage->used_percent,
               usage->inodes_used_percent, is_read_only(mount)});
  }

 private:
  Rows& rows_;
  std::set<std::uint64_t> devices_;
};

Status collect_usage(Context& context, Rows& rows) {
  if (!context.is_host()) return Error{Errc::unsupported, "an image has no mounts"};
  const auto text = read_host_mounts(context.root(), rows);
  if (!text) return text.error();
  std::vector<Mount> mounts = parse_mounts(*text).mounts;
  std::stable_sort(mounts.begin(), mounts.end(),
                   [](const Mount& a, const Mount& b) { return a.path.size() < b.path.size(); });
  UsageRows out(rows);
  std::vector<Mount> remote;
  std::set<std::string> seen;
  for (const Mount& mount : mounts) {
    const MountKind kind = mount_kind(mount);
    if (kind == MountKind::ignored || !seen.insert(mount.path).second) continue;
    // The way to a local one may lead over a remote one.
    const bool is_behind = std::any_of(remote.begin(), remote.end(), [&](const Mount& other) {
      return mount.path.starts_with(other.path + "/");
    });
    if (kind == MountKind::remote || is_behind) {
      remote.push_back(mount);
    } else {
      out.add(mount, ask_usage(mount.path));
    }
  }
  std::vector<std::string> paths;
  for (const Mount& mount : remote) paths.push_back(mount.path);
  const auto answers =
      ask_usage_by_children(paths, std::min(kRemoteDeadline, context.remaining() / 2));
  for (std::size_t i = 0; i < remote.size(); ++i) out.add(remote[i], answers[i]);
  return Ok{};
}

Status collect_memory(Context& context, Rows& rows) {
  if (!context.is_host()) return Error{Errc::unsupported, "an image has no memory"};
  const auto text = context.root().read("/proc/meminfo", kTextBytesMax);
  if (!text) return text.error();
  const auto info = parse_meminfo(*text);
  if (!info) return info.error();
  // Memory in use changes all the time; a step keeps the table, and so the chain, quiet.
  const auto stepped = [](int percent) { return (percent + kMemoryStep - 1) / kMemoryStep * 5; };
  rows.add({"memory", info->memory.size_bytes, stepped(info->memory.used_percent)});
  if (info->swap) rows.add({"swap", info->swap->size_bytes, stepped(info->swap->used_percent)});
  return Ok{};
}

}  // namespace

sdk::Table mounts_table() {
  return {.name = "mounts",
          .title = "Mounted file systems, and those of fstab",
          .columns = {sdk::bytes("path", "Where").key(), sdk::bytes("device", "What").key(),
                      sdk::occurrence(), sdk::text("type", "File system"),
                      sdk::text("flags", "Options, sorted"), sdk::text("source", "kernel, fstab")},
          .collect = collect_mounts};
}

sdk::Table mount_usage_table() {
  return {.name = "mount_usage",
          .title = "How full file systems are; each once, by its outermost mount",
          .columns = {sdk::bytes("path", "Where").key(), sdk::bytes("device", "What"),
                      sdk::text("type", "File system"), sdk::integer("size_bytes", "Size"),
                      sdk::integer("used_percent", "Of what users may fill, rounded up"),
                      sdk::integer("inodes_used_percent", "Rounded up")
                          .nullable("the file system has no limit of inodes"),
                      sdk::boolean("read_only", "It is mounted read-only")},
          .is_volatile = true,
          .collect = collect_usage};
}

sdk::Table memory_usage_table() {
  return {.name = "memory_usage",
          .title = "How full memory and swap are",
          .columns = {sdk::text("kind", "memory, swap (where there is some)").key(),
                      sdk::integer("size_bytes", "Size"),
                      sdk::integer("used_percent", "What is not available, up to the next 5 %")},
          .is_volatile = true,
          .collect = collect_memory};
}

}  // namespace vouch::drift
