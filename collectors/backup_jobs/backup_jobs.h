// SPDX-License-Identifier: Apache-2.0
// The collector backup_jobs: what backs this host up, when it last did, and what is in the
// repositories. restic only reads: it takes no lock and writes nothing.
#pragma once

#include "collectors/sdk/manifest.h"

namespace vouch::backup_jobs {

sdk::Collector make_backup_jobs();

}  // namespace vouch::backup_jobs
