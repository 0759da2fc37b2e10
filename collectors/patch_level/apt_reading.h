// SPDX-License-Identifier: Apache-2.0
// One reading of dpkg's status and of all package lists, which is the cost of this collector. The
// tables on updates and origins are made from it; a run reads the lists once, or not at all.
#pragma once

#include <memory>
#include <string>

#include "collectors/patch_level/apt_host.h"
#include "collectors/patch_level/updates.h"
#include "collectors/sdk/context.h"

namespace vouch::patch_level {

struct AptReading {
  DpkgStatus status;  // The report points into it.
  UpdateReport report;
  FileProblems problems;  // What could not be read: gaps of each table that is made from this.

  // Every list was read: what is not among the updates is not pending.
  [[nodiscard]] bool is_whole() const { return problems.empty() && status.problems.empty(); }
};

// Shared, since the context keeps copies of what it holds: its own and the caller's.
using SharedReading = Result<std::shared_ptr<const AptReading>>;
const SharedReading& reading_of(sdk::Context& context);

// All that a reading is made from. Empty: no safe token.
std::string reading_token(const sdk::Context& context);

void add_gaps(const FileProblems& problems, sdk::Rows& rows);
void add_gaps(const AptReading& reading, sdk::Rows& rows);

}  // namespace vouch::patch_level
