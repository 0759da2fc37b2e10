// SPDX-License-Identifier: Apache-2.0
// The files that file_hashes and file_attributes are about: one walk for both.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "collectors/config_drift/file_walk.h"
#include "collectors/sdk/context.h"
#include "core/result.h"

namespace vouch::drift {

struct WatchedFiles {
  std::vector<FileEntry> entries;
  std::vector<std::pair<std::string, Error>> gaps;
  Status walked = Ok{};
  // Nothing changed in the last moments, which the next change may not show in its stat.
  bool is_settled = false;
};

// By the options `paths`, `extra_paths` and `exclude`; walked once per run.
const WatchedFiles& watched_files(sdk::Context& context);

// All that stat(2) says of the entries, with what else rows depend on in front.
std::string state_token(const std::vector<FileEntry>& entries, std::string prefix);

}  // namespace vouch::drift
