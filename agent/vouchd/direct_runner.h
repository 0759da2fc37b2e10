// SPDX-License-Identifier: Apache-2.0
// A runner that starts the collector itself, as its own child: without systemd (a container,
// --once, the command line). Limits and a process group are the isolation that is left.
#pragma once

#include <string>

#include "agent/vouchd/checked_runner.h"
#include "core/file.h"

namespace vouch::agent {

class DirectRunner final : public CheckedRunner {
 public:
  // `clock` must outlive the runner. `cache_root`: directory of the collectors' cache directories;
  // empty: none is offered.
  explicit DirectRunner(const Clock& clock, std::string cache_root = "");
  void cancel() override;

 protected:
  Result<Grants> grants(const std::string& collector) override;
  Result<Exit> start(const Start& start, const OutputSink& sink) override;

 private:
  std::string cache_root_;
  Fd cancel_event_;
};

}  // namespace vouch::agent
