// SPDX-License-Identifier: Apache-2.0
// The outcomes table (docs/formats/records.md): what the checks of one run said. A table blob like
// any other, with arithmetic of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "proto/table.h"

namespace vouch {

enum class OutcomeKind { pass, fail, error, not_applicable, waived };
std::string_view to_string(OutcomeKind kind);
Result<OutcomeKind> parse_outcome_kind(std::string_view text);

struct Outcome {
  std::string check;
  std::string control;
  OutcomeKind outcome = OutcomeKind::error;
  std::string message;                  // At most 1 KiB; free of times, counters, process ids.
  std::int64_t violations = 0;          // Distinct violating rows.
  std::int64_t waived = 0;              // Those that a valid waiver covers.
  std::optional<std::string> findings;  // Digest of the findings blob; none: not judged.
  std::vector<std::string> waiver_ids;  // Sorted.

  bool operator==(const Outcome&) const = default;
};

const TableSchema& outcomes_schema();

// fail iff violations > waived; waived iff violations = waived > 0; pass iff violations = 0, with
// the empty findings blob; error and not_applicable: no findings, both counts 0.
Status check_outcome(const Outcome& outcome);

Result<TableBlob> write_outcomes(const std::vector<Outcome>& outcomes);
// Strict: table form, schema and arithmetic. In the order of the blob: by check.
Result<std::vector<Outcome>> read_outcomes(std::string_view blob);

// The policy set (subject "pack/set"): which packs judged. Lines "<sha256>  <pack id>", sorted by
// id.
struct PolicySetEntry {
  std::string pack;
  std::string sha256;

  bool operator==(const PolicySetEntry&) const = default;
};
Result<std::string> write_policy_set(
    std::vector<PolicySetEntry> entries);  // Refuses two of one id.
Result<std::vector<PolicySetEntry>> parse_policy_set(std::string_view text);

}  // namespace vouch
