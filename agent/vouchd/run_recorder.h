// SPDX-License-Identifier: Apache-2.0
// One run from start to ledger: asks the runner, judges, writes the blobs, and commits the record
// in one transaction. After that the run is *collected*: a crash takes nothing from it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/vouchd/collector.h"
#include "agent/vouchd/run_judge.h"
#include "agent/vouchd/runner.h"
#include "agent/vouchd/state.h"
#include "core/clock.h"
#include "core/result.h"
#include "proto/names.h"
#include "proto/schedule.h"

namespace vouch::agent {

// Which run this is.
struct RunOrder {
  Trigger trigger = Trigger::schedule;
  std::int64_t tick = 0;  // For Trigger::schedule.
  std::string cause;      // For Trigger::watch.
};

// The id of the next run that is no tick's: "<collector>/<last tick>+<n>". n counts them for ever,
// so that no id comes twice, whatever the clock and the interval do.
RunId extra_run_id(const std::string& collector, const ScheduleEntry& entry,
                   const CollectorState& state, WallMs now);

class RunRecorder {
 public:
  // All must outlive the recorder.
  RunRecorder(State& state, const Clock& clock, Runner& runner)
      : state_(state), clock_(clock), runner_(runner) {}

  // Blocks until the run has ended. A run that fails is recorded and no error; an error means that
  // the record could not be kept. Returns the run's id.
  Result<std::string> run(const Collector& collector, const ScheduleEntry& entry,
                          const RunOrder& order, RunJudge& judge,
                          const std::vector<Collector>& all);

 private:
  Result<RunRequest> make_request(const Collector& collector, WallMs now, std::string run);
  Result<std::vector<TableRef>> keep_tables(const Collector& collector, const Snapshot& snapshot);
  Result<std::string> read_blob(const Snapshot& snapshot, std::string_view sha256);
  std::vector<Observed> others(const std::vector<CollectorState>& states,
                               const std::string& collector) const;
  Status commit_failure(CollectorState& before, RunTimes times, const RunReport& report,
                        const RunViolation& violation);
  Status commit_observation(CollectorState& before, RunTimes times, Judged judged,
                            const Collector& collector, const Snapshot& snapshot);

  State& state_;
  const Clock& clock_;
  Runner& runner_;
};

// True if a change from one run's content to the next must be sealed soon: another digest or error
// of a table that is not volatile, other outcomes, another collector, policy or engine.
bool differs(const RunContent& before, const RunContent& after, const Manifest& manifest);

}  // namespace vouch::agent
