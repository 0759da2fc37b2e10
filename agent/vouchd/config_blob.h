// SPDX-License-Identifier: Apache-2.0
// The `config` blob of a bundle: the effective values that decide what is collected, when, and how
// it is judged, as a JCS object. `schedule` is what the verifier counts runs by.
#pragma once

#include <string>
#include <vector>

#include "agent/vouchd/collector.h"
#include "agent/vouchd/config.h"
#include "proto/schedule.h"

namespace vouch::agent {

// Values of options whose name stands for a secret become "[redacted]", as does any text that holds
// a key or a token: the blob is for ever.
std::string write_config_blob(const Config& config, const std::vector<Collector>& collectors,
                              const std::vector<ScheduleEntry>& schedule);

}  // namespace vouch::agent
