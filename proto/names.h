// SPDX-License-Identifier: Apache-2.0
// The forms of names and ids (docs/formats/conventions.md). All are ASCII.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vouch {

bool is_plain_name(std::string_view text);      // [a-z][a-z0-9_]{0,62}: a table or column.
bool is_collector_name(std::string_view text);  // The same, or name@[a-z0-9-]{1,31}: an instance.
bool is_id(std::string_view text);        // [A-Za-z0-9][A-Za-z0-9._-]{0,63}: control, check, pack.
bool is_agent_id(std::string_view text);  // A UUID v4 in lowercase.
bool is_boot_id(
    std::string_view text);  // A UUID of any version in lowercase, as the kernel prints it.
bool is_machine_id(std::string_view text);  // 32 lowercase hex digits.
// A file name for an attachment: 1 to 255 bytes of UTF-8, no "/", no control byte, not "." or "..".
bool is_file_name(std::string_view text);

// Error codes of a table and of a gap: permission-denied, not-found, not-supported, timeout,
// too-large, parse-error, tool-failed, other.
bool is_error_code(std::string_view text);

// The name of a run: "<collector>/<tick>", or "<collector>/<tick>+<n>" for a triggered or manual
// run, the n-th (from 1) after that tick.
struct RunId {
  std::string collector;
  std::int64_t tick = 0;
  std::int64_t extra = 0;  // 0: the scheduled run of the tick itself.

  [[nodiscard]] bool scheduled() const { return extra == 0; }
  auto operator<=>(const RunId&) const = default;
};

std::string write_run_id(const RunId& id);
Result<RunId> parse_run_id(std::string_view text);  // Decimal without leading zeros.

}  // namespace vouch
