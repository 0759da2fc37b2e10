// SPDX-License-Identifier: Apache-2.0
// The seam through which the verifier recomputes outcomes. The verifier belongs to proto and knows
// no policy engine; whoever wants `--replay` hands one in (policies/engine implements this).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"

namespace vouch::verify {

// The raw bytes of a blob that the verifier has checked against its digest. Errc::not_found: it is
// withheld, dropped or purged.
using BlobReader = std::function<Result<std::string>(std::string_view sha256_hex)>;

struct ReplayInput {
  const json::Value* record = nullptr;     // The run record, or the one that its same_as names.
  const json::Value* statement = nullptr;  // The in-toto statement that holds that record.
  std::string now;                         // `now` of the record under replay (its own, always).
  std::string engine;                      // What judged then.
  std::string policy;                      // Digest of the policy set.
  std::string outcomes;                    // Digest of the outcomes table on record.
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
  // Recomputes the outcomes of one run record that has `outcomes`. Fails only if it cannot work
  // at all (out of memory, sandbox cannot be made); everything about the evidence is a result.
  virtual Result<ReplayResult> replay(const ReplayInput& input, const BlobReader& blobs) = 0;
};

}  // namespace vouch::verify
