// SPDX-License-Identifier: Apache-2.0
// Running a collector: the seam between the agent and the processes that look at the host.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "agent/vouchd/collector.h"
#include "core/clock.h"
#include "core/result.h"
#include "proto/collector_protocol.h"
#include "proto/record.h"

namespace vouch::agent {

inline constexpr std::chrono::seconds kDescribeDeadline{10};
inline constexpr std::size_t kManifestBytesMax = 1u << 20;

struct RunReport {
  WallMs started = 0;
  WallMs finished = 0;
  std::int64_t duration_ms = 0;  // By the monotonic clock.
  CollectorRef collector;        // Of the executable that ran.
  bool was_started = true;       // False: the program could not be started at all.
  std::variant<Snapshot, RunViolation> result;
};

// Runs one collector to its end and checks everything it says. Blocks. How a run ended is a value,
// since it is evidence either way.
class Runner {
 public:
  virtual ~Runner() = default;
  // `request.tables` are those wanted; tables whose needs are not granted are not asked for and
  // come back as errors (permission-denied).
  virtual RunReport run(const Collector& collector, const RunRequest& request) = 0;
  // What `program --describe` prints when it reads `input`, of the collector `name` (with its
  // instance).
  virtual Result<std::string> describe(const std::string& name, const std::string& program,
                                       const std::string& input) = 0;
  // Ends a run under way, from another thread, and refuses later ones.
  virtual void cancel() = 0;
};

}  // namespace vouch::agent
