// SPDX-License-Identifier: Apache-2.0
// What a collector says of itself with --describe (docs/formats/collector-protocol.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "proto/table.h"

namespace vouch {

inline constexpr std::int64_t kCollectorProtocol = 1;

struct Manifest {
  std::string name;
  std::string version;
  std::string title;
  std::int64_t interval_s = 0;  // Default; the configuration may say otherwise.
  std::int64_t deadline_s = 0;
  json::Value options;  // A JSON Schema (an object) of the options.
  bool needs_network = false;
  bool needs_cache_dir = false;
  bool has_configured_tables = false;  // Its options declare further ones.
  std::vector<TableSchema> tables;     // Without gaps, which every collector has.

  // Also finds "gaps".
  [[nodiscard]] const TableSchema* find(std::string_view table) const;
  bool operator==(const Manifest&) const = default;
};

// Strict; errors name the member. Unknown members are ignored.
Result<Manifest> parse_manifest(std::string_view text);
std::string write_manifest(const Manifest& manifest);  // RFC 8785.

}  // namespace vouch
