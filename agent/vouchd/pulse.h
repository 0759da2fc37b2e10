// SPDX-License-Identifier: Apache-2.0
// Whether the worker still gets on: before each step it promises when it will be back, and the main
// loop answers the service manager's watchdog only while the last promise is kept.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "agent/vouchd/runner.h"

namespace vouch::agent {

// Safe from any thread.
class Pulse {
 public:
  Pulse() { promise(std::chrono::minutes(2)); }
  void promise(std::chrono::milliseconds within);
  [[nodiscard]] bool beats() const;

 private:
  std::atomic<std::int64_t> until_ms_{0};  // By the monotonic clock.
};

// A run may take as long as its deadline, and what follows it the usual time again.
class PulsedRunner final : public Runner {
 public:
  // Both must outlive it.
  PulsedRunner(Runner& runner, Pulse& pulse) : runner_(runner), pulse_(pulse) {}
  RunReport run(const Collector& collector, const RunRequest& request) override;
  Result<std::string> describe(const std::string& name, const std::string& program,
                               const std::string& input) override;
  void cancel() override { runner_.cancel(); }

 private:
  Runner& runner_;
  Pulse& pulse_;
};

}  // namespace vouch::agent
