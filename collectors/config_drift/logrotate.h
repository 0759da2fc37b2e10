// SPDX-License-Identifier: Apache-2.0
// logrotate(8): which logs are rotated, how often, and how many are kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vouch::drift {

struct LogRotation {
  std::string path;         // The pattern, as written.
  std::string source;       // The file.
  std::string period;       // "daily", "weekly" …; "size": when it has grown to a size.
  std::int64_t rotate = 0;  // How many old ones are kept; -1: all.
  std::optional<std::int64_t> max_age_days;
  std::optional<std::string> size;  // Of `size`, which rotates however old the log is.
};

// What holds for the blocks below it: changed by the lines outside of blocks.
struct RotationDefaults {
  std::string period = "size";  // logrotate's own: by size, 1 MiB.
  std::int64_t rotate = 0;
  std::optional<std::int64_t> max_age_days = {};
  std::optional<std::string> size = {};
};

struct LogrotateFile {
  std::vector<LogRotation> rotations;
  std::vector<std::string> includes;  // `include` lines, as written.
  std::vector<int> faults;            // Numbers of lines where a block does not end or begin.
};

LogrotateFile parse_logrotate(std::string_view text, std::string_view source,
                              RotationDefaults& defaults);

}  // namespace vouch::drift
