// SPDX-License-Identifier: Apache-2.0
// The approved states of tables, in the ledger: what `baseline_T` and `drift` are judged by. An
// approval made here is *claimed* (docs/formats/records.md) until the store has it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/vouchd/judge_inputs.h"
#include "core/clock.h"
#include "core/result.h"
#include "core/sqlite.h"

namespace vouch::agent {

struct ApprovedBaseline : Baseline {
  WallMs approved = 0;
  std::string by, ticket, reason;
};

class Baselines {
 public:
  explicit Baselines(sqlite::Database& database) : database_(database) {}

  // In place of the one before.
  Status set(const ApprovedBaseline& baseline);
  Result<std::vector<ApprovedBaseline>> list();  // By collector and table.

 private:
  sqlite::Database& database_;
};

}  // namespace vouch::agent
