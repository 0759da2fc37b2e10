// SPDX-License-Identifier: Apache-2.0
// How full file systems and memory are. A file system that asks a network or another process is
// asked by a child, so that one that hangs costs a deadline and not the run.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/config_drift/mount_table.h"
#include "core/result.h"

namespace vouch::drift {

struct Usage {
  std::uint64_t device = 0;  // st_dev: two mounts of one file system have the same.
  std::int64_t size_bytes = 0;
  int used_percent = 0;                         // Of what may be used, rounded up, as df(1) says.
  std::optional<int> inodes_used_percent = {};  // A file system may have no number of inodes.
};

// As df(1) reckons: what is kept for root is not counted as free.
Usage make_usage(std::uint64_t block_bytes, std::uint64_t blocks, std::uint64_t free_blocks,
                 std::uint64_t available_blocks, std::uint64_t inodes, std::uint64_t free_inodes);

enum class MountKind { local, remote, ignored };
// `ignored`: made up by the kernel, always full by nature, a session's, or not to be touched
// (autofs mounts what is asked for).
MountKind mount_kind(const Mount& mount);

// Errc::not_found: nothing is mounted there for this process.
Result<Usage> ask_usage(const std::string& path);

// The same by a child, for each path; all are given up together at the deadline (Errc::timeout).
// `ask` is replaced by tests.
using AskUsage = Result<Usage> (*)(const std::string& path);
std::vector<Result<Usage>> ask_usage_by_children(const std::vector<std::string>& paths,
                                                 std::chrono::milliseconds deadline,
                                                 AskUsage ask = ask_usage);

struct MemoryUsage {
  std::int64_t size_bytes = 0;
  int used_percent = 0;
};
struct MemoryInfo {
  MemoryUsage memory;
  std::optional<MemoryUsage> swap;
};
// The text of /proc/meminfo.
Result<MemoryInfo> parse_meminfo(std::string_view text);

}  // namespace vouch::drift
