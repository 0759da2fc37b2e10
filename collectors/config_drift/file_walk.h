// SPDX-License-Identifier: Apache-2.0
// Walks directory trees below a root: one fstatat per entry, no symlink followed on the way.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/root.h"

namespace vouch::drift {

struct FileEntry {
  std::string path;    // Inside the root.
  struct stat status;  // Of the entry itself: a link is a link.
};

struct WalkLimits {
  std::vector<std::string> excluded;  // Paths, and all below them.
  // Roots of mounts that are not even looked at (sdk/foreign_mounts.h): each is a gap.
  std::set<std::string> untouched = {};
  std::size_t entries_max = 500'000;
  int depth_max = 64;
  // Asked now and then; true ends the walk with Errc::timeout.
  std::function<bool()> is_over;
};

// What could not be entered, and why.
using OnGap = std::function<void(const std::string& path, const Error& error)>;

// The entries at and below each of `paths`, every directory sorted bytewise, each path once. A path
// that does not exist is left out; a path that is a link to a directory is walked, too. File
// systems that are remote or made up by the kernel (nfs, proc) are a gap.
Result<std::vector<FileEntry>> walk(const Root& root, std::vector<std::string> paths,
                                    const WalkLimits& limits, const OnGap& on_gap);

}  // namespace vouch::drift
