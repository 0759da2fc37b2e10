// SPDX-License-Identifier: Apache-2.0
// The seam through which the verifier recomputes outcomes. The verifier belongs to proto and knows
// no policy engine; whoever wants `--replay` hands one in (policies/engine implements this).
#pragma once

#include <string>

#include "core/result.h"
#include "proto/statement.h"
#include "proto/subjects.h"

namespace vouch::verify {

using vouch::BlobReader;  // Raw bytes by digest; Errc::not_found: withheld, dropped or purged.

struct ReplayInput {
  const Statement* statement = nullptr;      // Of the bundle that holds the observation.
  const Observation* observation = nullptr;  // The record under replay: its `now`, always.
  const RunContent* content = nullptr;       // Its own, or that of the record its same_as names.
};

struct ReplayResult {
  enum class Kind {
    same,            // The recomputed outcomes table has the digest on record.
    different,       // It has not, under the same engine: the record is wrong.
    engine_differs,  // It has not, but another engine judged then: reported as ENGINE-DIFFERS.
    not_replayable,  // An input is withheld, dropped or purged.
  };
  Kind kind = Kind::not_replayable;
  std::string outcomes;  // Digest of the recomputed table; empty if not replayable.
  std::string detail;    // For a person: which check differs and how, or which input is missing.
};

// One object serves one verification, from one thread, in the order of the log.
class Replayer {
 public:
  virtual ~Replayer() = default;
  // Recomputes the outcomes of one run. The blobs read are checked against their digests already.
  // Fails only if it cannot work at all (out of memory, sandbox cannot be made); everything about
  // the evidence is a result.
  virtual Result<ReplayResult> replay(const ReplayInput& input, const BlobReader& blobs) = 0;
};

}  // namespace vouch::verify
