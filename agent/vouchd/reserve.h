// SPDX-License-Identifier: Apache-2.0
// Space on the state's file system that is kept for the day on which others have filled it: a file
// of its own, given back when the disk is full, so that the records which say so are still sealed.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.h"

namespace vouch::agent {

inline constexpr std::int64_t kReserveBytes = std::int64_t{8} << 20;
// Below this much free space, apart from the reserve, the disk counts as full: nothing is
// collected.
inline constexpr std::int64_t kFreeBytesMin = std::int64_t{4} << 20;

class Reserve {
 public:
  explicit Reserve(std::string path) : path_(std::move(path)) {}

  // Gives the reserve back if the disk is full, and takes it again once there is room for it. True
  // if the disk is full.
  Result<bool> look();

 private:
  std::string path_;
};

// What a file system has left for us.
Result<std::int64_t> free_bytes(const std::string& path);

}  // namespace vouch::agent
