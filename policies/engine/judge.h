// SPDX-License-Identifier: Apache-2.0
// Judges one check at a time over the tables of one request: which of its tables are missing or
// have gaps, whether it applies, which rows violate it. Waivers come after (evaluate.cc).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "policies/engine/evaluate.h"
#include "policies/engine/pack.h"
#include "policies/engine/sandbox.h"
#include "policies/engine/table.h"
#include "proto/outcomes.h"

namespace vouch::policy {

class Judge {
 public:
  // Both must outlive the judge. Reads the gaps of all runs.
  static Result<Judge> make(const EvaluationRequest& request, const SchemaMap& schemas,
                            std::string columns_digest);

  // All that the judgement depends on, hashed: raw bytes.
  [[nodiscard]] std::string memo_key(const Check& check) const;
  // Fails only where the request itself is broken.
  Result<Judgement> judge(const Check& check);

 private:
  Judge(const EvaluationRequest& request, const SchemaMap& schemas)
      : request_(request), schemas_(schemas) {}

  Status read_gaps();
  [[nodiscard]] std::vector<const TableInput*> sources(std::string_view table) const;
  [[nodiscard]] std::string missing_reason(std::string_view table) const;
  Status prepare_table(const std::string& table);
  Result<std::optional<Judgement>> judge_applies(const Check& check,
                                                 const std::map<std::string, std::string>& missing);
  Result<Judgement> judge_sql(const Check& check);

  const EvaluationRequest& request_;
  const SchemaMap& schemas_;
  std::string columns_digest_;
  std::set<std::string, std::less<>> tables_with_gaps_;
  std::map<std::string, std::string, std::less<>> runs_without_gaps_;  // Run: why.
  std::optional<Sandbox> sandbox_;                                     // Made when first needed.
};

}  // namespace vouch::policy
