// SPDX-License-Identifier: Apache-2.0
// A runner that starts the collector itself, as its own child: without systemd (a container,
// --once, the command line). Limits and a process group are the isolation that is left.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/vouchd/runner.h"
#include "core/file.h"

namespace vouch::agent {

class DirectRunner final : public Runner {
 public:
  // `clock` must outlive the runner. `cache_root`: directory of the collectors' cache directories;
  // empty: none is offered.
  explicit DirectRunner(const Clock& clock, std::string cache_root = "");
  RunReport run(const Collector& collector, const RunRequest& request) override;
  void cancel() override;

 private:
  const Clock& clock_;
  std::string cache_root_;
  Fd cancel_event_;
};

// The tables of `collector` whose needs this process cannot grant, by its effective capabilities.
std::vector<std::string> ungranted_tables(const Manifest& manifest, std::uint64_t capabilities);
// CapEff of /proc/self/status.
std::uint64_t effective_capabilities();

}  // namespace vouch::agent
