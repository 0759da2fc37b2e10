// SPDX-License-Identifier: Apache-2.0
// A runner that starts nothing itself: on a systemd host each collector has a socket of its own,
// behind which vouch-collect runs as another user (docs/privileges.md, docs/formats/launch.md).
#pragma once

#include <string>

#include "agent/vouchd/checked_runner.h"
#include "core/file.h"

namespace vouch::agent {

class SocketRunner final : public CheckedRunner {
 public:
  // `clock` must outlive the runner. The socket of a collector is <socket_dir>/<its name>.sock.
  SocketRunner(const Clock& clock, std::string socket_dir);
  void cancel() override;

 protected:
  Result<Grants> grants(const std::string& collector) override;
  Result<Exit> start(const Start& start, const OutputSink& sink) override;

 private:
  Result<Exit> follow(const Fd& connection, const Fd& output, std::chrono::milliseconds patience,
                      const OutputSink& sink);

  std::string socket_dir_;
  Fd cancel_event_;
  Fd connection_;  // Between grants() and the end of start().
};

}  // namespace vouch::agent
