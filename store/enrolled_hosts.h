// SPDX-License-Identifier: Apache-2.0
// What hosts said of themselves when they enrolled (docs/formats/enrolment.md, `host`): for people,
// and for matching with an inventory. Nothing in the store is decided by it.
#pragma once

#include <map>
#include <string>

#include "core/json.h"
#include "core/result.h"

namespace vouch::store {

// By agent id. Reads all of `dir`/statements: a signed request that is not what its name says, or
// no enrolment, is passed over (fsck tells of damage). Of an agent that was re-pinned, the newer.
// May be called beside a serving store.
Result<std::map<std::string, json::Object>> enrolled_hosts(const std::string& dir);

}  // namespace vouch::store
