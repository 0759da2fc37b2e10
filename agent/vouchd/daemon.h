// SPDX-License-Identifier: Apache-2.0
// The running daemon: one thread waits (signals, the control socket, receipts, the clock), one
// works (collectors, judging, SQLite). The agent is touched by the worker alone.
#pragma once

#include <memory>
#include <string>

#include "agent/vouchd/agent.h"
#include "agent/vouchd/config.h"
#include "agent/vouchd/watch_desk.h"
#include "core/clock.h"

namespace vouch::agent {

class Daemon {
 public:
  // `clock`, `runner` and `load` must outlive the daemon. `executable` as for Agent::open();
  // `watch` opens what tells of watched paths.
  Daemon(std::string config_path, Config config, const Clock& clock, Runner& runner, HostLoad& load,
         HostFacts host, std::string executable, OpenWatchSource watch = open_watcher);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Until SIGTERM or SIGINT; returns the exit status. SIGTERM ends a run under way and returns
  // within 5 s. SIGHUP reads the configuration again; one that is not good is reported and the old
  // one stays.
  int run(std::unique_ptr<Agent> agent);

 private:
  struct Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace vouch::agent
