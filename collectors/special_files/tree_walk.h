// SPDX-License-Identifier: Apache-2.0
// One walk over all local file systems of a root, for all rules at once.
//
// House rules of the walk: no symbolic link is followed, no file is opened. Mounts are entered
// after the file system that holds them, in order of their paths, and a directory is entered once
// (by device and inode): what is seen through a bind mount is reported where it really lies. File
// systems of other hosts and of the kernel are not entered, and their roots not even looked at:
// a dead server would hang the walk.
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

namespace vouch::special_files {

struct WalkedFile {
  std::string_view name;  // Of the entry itself.
  int directory = -1;     // Open descriptor of the directory that holds it.
  std::uint32_t mode = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  bool is_device_zero = false;  // A whiteout of overlayfs, if it is a character device.
};

class TreeVisitor {
 public:
  virtual ~TreeVisitor() = default;
  // `path` makes the whole path: it costs, and most files are of no interest.
  virtual void file(const WalkedFile& file, const std::function<std::string()>& path) = 0;
  virtual void gap(const std::string& path, const Error& error) = 0;
  // Asked now and then; true ends the walk.
  virtual bool is_over() = 0;
};

struct TreeOptions {
  std::vector<std::string> excluded;  // Paths, and all below them.
  // Roots of mounts that are not to be touched, as paths inside the root: sdk/foreign_mounts.h.
  std::set<std::string> untouched;
  std::size_t entries_max = 50'000'000;
};

// How many entries were seen. Errc::timeout: `is_over`; Errc::too_large.
Result<std::size_t> walk_tree(const Root& root, const TreeOptions& options, TreeVisitor& visitor);

}  // namespace vouch::special_files
