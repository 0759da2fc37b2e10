// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/pulse.h"

namespace vouch::agent {
namespace {

// For the start and the end of a run, and for judging it.
constexpr std::chrono::seconds kAroundRun{120};

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

void Pulse::promise(std::chrono::milliseconds within) {
  until_ms_.store(now_ms() + within.count());
}

bool Pulse::beats() const {
  return now_ms() <= until_ms_.load();
}

RunReport PulsedRunner::run(const Collector& collector, const RunRequest& request) {
  pulse_.promise(std::chrono::milliseconds(request.deadline_ms) + kAroundRun);
  RunReport report = runner_.run(collector, request);
  pulse_.promise(kAroundRun);
  return report;
}

Result<std::string> PulsedRunner::describe(const std::string& name, const std::string& program,
                                           const std::string& input) {
  pulse_.promise(kDescribeDeadline + kAroundRun);
  return runner_.describe(name, program, input);
}

}  // namespace vouch::agent
