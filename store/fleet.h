// SPDX-License-Identifier: Apache-2.0
// What the latest verified runs of each host say, as scorecards of one framework. Reads the store's
// directory beside a serving store; every blob is checked against its digest.
#pragma once

#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "policies/engine/framework.h"
#include "policies/engine/pack.h"
#include "policies/engine/scorecard.h"
#include "store/disk.h"
#include "store/index.h"

namespace vouch::store {

struct HostScorecard {
  Agent agent;
  WallMs newest = 0;  // End of its newest run; 0: none yet.
  policy::Scorecard scorecard;
};

// The packs that judged, as the policy set of this digest names them.
Result<policy::PackSet> packs_of_policy(const std::string& policy, Disk& disk, Index& index);

// One row per enrolled host, those without any run included: silence is not a pass. `keep` owns the
// packs that the scorecards point into.
// `directory` is the store's.
Result<std::vector<HostScorecard>> fleet_scorecards(Index& index, const std::string& directory,
                                                    const policy::Framework& framework,
                                                    const policy::Mapping& mapping, WallMs now,
                                                    std::vector<policy::PackSet>& keep);

}  // namespace vouch::store
