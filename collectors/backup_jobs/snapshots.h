// SPDX-License-Identifier: Apache-2.0
// What `restic snapshots --json` prints, and what restic says when it cannot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace vouch::backup_jobs {

struct Snapshot {
  std::string id;
  WallSeconds time = 0;
  std::string hostname;
  std::vector<std::string> paths;
  std::vector<std::string> tags;
  std::string tree;
  std::optional<std::int64_t> files;  // Newer versions of restic keep a summary.
  std::optional<std::int64_t> bytes;
};

// Errc::invalid, naming the snapshot by its place in the list and the member.
Result<std::vector<Snapshot>> parse_snapshots(std::string_view json_text);

// "2026-11-21T20:15:00.383134474Z", "…+01:00"; fractions are dropped.
Result<WallSeconds> parse_restic_time(std::string_view text);

// Why restic ended with `exit_code`, without any address or password: wrong password or locked
// (denied, unavailable), no repository (not_found), no connection (unavailable), else tool_failed.
Error explain_failure(int exit_code, std::string_view standard_error);

// True if restic said on the way that it left snapshots out, although it ended well.
bool left_out_snapshots(std::string_view standard_error);

}  // namespace vouch::backup_jobs
