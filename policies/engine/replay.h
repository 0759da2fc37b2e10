// SPDX-License-Identifier: Apache-2.0
// `vouch verify --replay`: recomputes a record's outcomes from its blobs, with the very function
// that the agent judged with.
#pragma once

#include <memory>

#include "proto/verify/replayer.h"

namespace vouch::policy {

// Keeps the last policy set and memo between records: a log is replayed at the price of what
// changed in it.
std::unique_ptr<verify::Replayer> make_replayer();

}  // namespace vouch::policy
