// SPDX-License-Identifier: Apache-2.0
// What dnf or zypper would update, read once in a run for all tables that are made from it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "collectors/facts/update_memory.h"
#include "collectors/rpm_packages/repositories.h"
#include "collectors/rpm_packages/update_finder.h"
#include "collectors/sdk/context.h"
#include "core/result.h"

namespace vouch::rpm_packages {

// Their configuration; Errc::not_found: there is none.
const Result<ManagerConfig>& config_of(sdk::Context& context);

struct Updates {
  UpdateFinder::Found found;
  facts::InstalledVersions installed;
  std::vector<std::pair<std::string, Error>> gaps;  // What could not be looked at, by object.
};

// States all that the updates are made from. Empty: something was written just now. Errors: not
// an RPM system, no configuration.
Result<std::string> updates_token(sdk::Context& context);
// Errors: those of the token, or nothing is known of any repository.
const Result<Updates>& updates_of(sdk::Context& context);

}  // namespace vouch::rpm_packages
