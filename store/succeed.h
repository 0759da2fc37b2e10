// SPDX-License-Identifier: Apache-2.0
// The succession of the store's log by another (docs/formats/succession.md): a new origin, key and
// tree. What is prepared lies in successor/ until one transaction of the index decides; then every
// file is moved, again and again after crashes if need be, before the store is opened.
#pragma once

#include <string>

#include "core/clock.h"
#include "core/result.h"
#include "store/disk.h"
#include "store/index.h"

namespace vouch::store {

struct SuccessionPlan {
  std::string origin;              // Of the new log; its last part must be new to the store.
  std::string reason = "planned";  // A word, for leaf 0.
  bool key_lost = false;           // Of the old log: then nobody consents, and no note is made.
  std::string by = "local";        // An account.
};

// The last part of an origin: "log1" of "store.example.com/log1". Names its folder in logs/.
std::string log_name(const std::string& origin);

// Ends the log as the index has it and begins the next. The store must not be serving
// (Errc::exists). Errc::corrupt if the tiles are not those of the index, or if the key is lost and
// no checkpoint of that very size is there. Returns the new log's verifier key.
Result<std::string> succeed(const std::string& dir, const Clock& clock, const SuccessionPlan& plan);

// What a succession that was decided has left to move; does nothing if there was none. Called with
// the lock held, before anything else is read.
Status finish_succession(const std::string& dir, Index& index);

}  // namespace vouch::store
