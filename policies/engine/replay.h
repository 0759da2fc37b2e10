// SPDX-License-Identifier: Apache-2.0
// `vouch verify --replay`: recomputes a record's outcomes from its blobs, with the very function
// that the agent judged with.
#pragma once

#include <memory>

#include "policies/engine/policy_sets.h"
#include "proto/verify/replayer.h"

namespace vouch::policy {

// Keeps its memo between records: a log is replayed at the price of what changed in it. `sets` must
// outlive it.
std::unique_ptr<verify::Replayer> make_replayer(PolicySets& sets);

}  // namespace vouch::policy
