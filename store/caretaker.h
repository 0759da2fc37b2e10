// SPDX-License-Identifier: Apache-2.0
// What a store does by itself: it notes in the log who has gone quiet, and carries out the orders
// that commands leave for it, and has people told what they asked to be told.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/clock.h"
#include "core/result.h"
#include "store/committer.h"
#include "store/disk.h"
#include "store/fleet_alerts.h"
#include "store/index_readers.h"
#include "store/orders.h"

namespace vouch::store {

class Caretaker {
 public:
  // All arguments must outlive it. Does nothing by itself before start().
  Caretaker(const Clock& clock, IndexReaders& readers, Committer& committer, WallMs grace_ms)
      : clock_(clock), readers_(readers), committer_(committer), grace_ms_(grace_ms) {}
  ~Caretaker() { stop(); }
  Caretaker(const Caretaker&) = delete;
  Caretaker& operator=(const Caretaker&) = delete;

  // Before start(): whom to have told of the fleet. Both must outlive it.
  void tells(FleetAlerts& alerts, Disk& disk) {
    alerts_ = &alerts;
    disk_ = &disk;
  }
  void start();  // Orders twice a second, alerts every five, silence twice a minute.
  void stop();

  // An `overdue` leaf for each active agent that is silent for longer than the grace after what it
  // promised. Returns when it is durable.
  Status note_silence();
  // Those that wait in the index, each with its answer in the same transaction.
  Status carry_out_orders();
  Result<OrderAnswer> carry_out(const Order& order);
  // What is to be told of the fleet now; nothing without alerts.
  Status tell();

 private:
  void run();
  Status commit(std::function<Status(Batch&)> apply);

  const Clock& clock_;
  IndexReaders& readers_;
  Committer& committer_;
  const WallMs grace_ms_;
  FleetAlerts* alerts_ = nullptr;
  Disk* disk_ = nullptr;
  std::mutex mutex_;  // Guards stopping_.
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace vouch::store
