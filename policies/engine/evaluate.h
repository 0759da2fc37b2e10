// SPDX-License-Identifier: Apache-2.0
// Judging: a pure function from tables, packs and the time of the run to outcomes and findings.
// The rules are those of docs/formats/records.md and docs/formats/replay.md; the same bytes in give
// the same bytes out, on the agent and years later in the verifier.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "policies/engine/memo.h"
#include "policies/engine/pack.h"
#include "policies/engine/table.h"
#include "proto/outcomes.h"

namespace vouch::policy {

// One table as a record names it: content, or the error that stands in its place.
struct TableInput {
  std::string name;       // "users", "gaps", "waivers", "baseline_users", "columns" …
  std::string run;        // Empty: the judged run itself; else the id of the run it came from.
  std::string digest;     // Empty if there is an error.
  std::string error;      // An error code such as "permission-denied"; empty: the table is good.
  std::string_view blob;  // Raw bytes; must outlive the call.
};

// The judged run. `tables` are those of the record, `inputs` all that is read besides: `columns`
// (required; columns_blob() of the manifests' schemas), `waivers`, `baseline_T`, `previous_T`,
// `drift`, registers, and tables of other runs, together with those runs' `gaps`.
struct EvaluationRequest {
  std::string collector;  // Instance included: "backup_jobs@nas".
  std::string now;        // A second: the value of :now.
  std::vector<TableInput> tables;
  std::vector<TableInput> inputs;
};

struct Evaluation {
  std::vector<Outcome> outcomes;                // Sorted by check.
  TableBlob outcomes_table;                     // The same, as the record names it.
  std::map<std::string, std::string> findings;  // Blobs by digest, the empty blob included.
};

// Judges each check whose first table is in request.tables. Fails only if the request itself is
// broken: no `columns`, a blob that is no table blob, a bad `now`. Anything wrong with one check is
// that check's `error`. `memo` may be null.
Result<Evaluation> evaluate(const PackSet& packs, const EvaluationRequest& request, Memo* memo);

// "vouch-policy/2 sqlite/3.40.1 re2/20220601 x86_64": all that judges.
std::string engine_string();

}  // namespace vouch::policy
