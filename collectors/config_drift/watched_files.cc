// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/watched_files.h"

#include <algorithm>

#include "collectors/sdk/foreign_mounts.h"
#include "core/digest.h"

namespace vouch::drift {
namespace {

constexpr std::int64_t kRacySeconds = 2;

// What decides who gets in and what runs first. A site adds its own with `extra_paths`.
std::vector<std::string> default_paths() {
  return {"/etc",
          "/boot",
          "/usr/local/bin",
          "/usr/local/sbin",
          "/root/.ssh",
          "/usr/bin/bash",
          "/usr/bin/dash",
          "/usr/bin/su",
          "/usr/bin/sudo",
          "/usr/bin/passwd",
          "/usr/bin/login",
          "/usr/bin/chsh",
          "/usr/bin/chfn",
          "/usr/bin/newgrp",
          "/usr/bin/gpasswd",
          "/usr/bin/ssh",
          "/usr/bin/mount",
          "/usr/bin/umount",
          "/usr/bin/pkexec",
          "/usr/bin/crontab",
          "/usr/bin/dpkg",
          "/usr/bin/apt-get",
          "/usr/bin/rpm",
          "/usr/bin/systemctl",
          "/usr/sbin/sshd",
          "/usr/sbin/unix_chkpwd",
          "/usr/sbin/cron",
          "/usr/sbin/agetty",
          "/usr/lib/systemd/systemd",
          "/lib/systemd/systemd",
          "/usr/lib/openssh/ssh-keysign"};
}

void append_number(std::string& out, std::int64_t value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

WatchedFiles walk_files(sdk::Context& context) {
  WatchedFiles found;
  auto paths = context.texts_option("paths", default_paths());
  for (std::string& path : context.texts_option("extra_paths", {})) {
    paths.push_back(std::move(path));
  }
  for (const std::string& path : paths) {
    if (path.starts_with('/')) continue;
    found.walked = Error{Errc::invalid, "option paths: not absolute: " + path};
    return found;
  }
  WalkLimits limits;
  limits.excluded = context.texts_option("exclude", {});
  limits.untouched = sdk::foreign_mounts(context.root()).value_or({});
  limits.is_over = [&context] { return context.remaining().count() == 0; };
  auto entries = walk(context.root(), std::move(paths), limits,
                      [&found](const std::string& path, const Error& error) {
                        found.gaps.emplace_back(path, error);
                      });
  if (!entries) {
    found.walked = entries.error();
    return found;
  }
  found.entries = *std::move(entries);
  const WallSeconds now = context.now();
  found.is_settled = std::none_of(
      found.entries.begin(), found.entries.end(),
      [&](const FileEntry& entry) { return entry.status.st_ctim.tv_sec > now - kRacySeconds; });
  return found;
}

}  // namespace

const WatchedFiles& watched_files(sdk::Context& context) {
  return context.once([&context] { return walk_files(context); });
}

// All that the rows depend on, but the contents themselves: for those the stats stand.
std::string state_token(const std::vector<FileEntry>& entries, std::string prefix) {
  std::string state = std::move(prefix);
  state.reserve(entries.size() * 128);
  for (const FileEntry& entry : entries) {
    const struct stat& status = entry.status;
    state += entry.path;
    state += '\0';
    append_number(state, static_cast<std::int64_t>(status.st_dev));
    append_number(state, static_cast<std::int64_t>(status.st_ino));
    append_number(state, status.st_mode);
    append_number(state, std::int64_t{status.st_uid} << 32 | status.st_gid);
    append_number(state, status.st_size);
    append_number(state, status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec);
    append_number(state, status.st_ctim.tv_sec * 1'000'000'000 + status.st_ctim.tv_nsec);
  }
  return sha256_hex(state);
}

}  // namespace vouch::drift
