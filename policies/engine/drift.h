// SPDX-License-Identifier: Apache-2.0
// Drift: what differs between an approved baseline of a table and what was observed now, as rows of
// the input table `drift`. Pure; the agent keeps the blob and hands it back the next time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "policies/engine/table.h"

namespace vouch::policy {

struct DriftSource {
  const TableSchema* schema = nullptr;  // Needs key columns.
  std::string_view baseline;            // Table blobs.
  std::string_view current;
};

// One row per added or removed key, and per changed column of a changed key. `first_seen` is taken
// from `previous_drift` where the same row stood there, else it is `now` (a second).
Result<std::string> compute_drift(const std::vector<DriftSource>& sources,
                                  std::string_view previous_drift, std::string_view now);

}  // namespace vouch::policy
