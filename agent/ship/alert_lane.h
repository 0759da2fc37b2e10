// SPDX-License-Identifier: Apache-2.0
// Alerts go their own way beside the parcels: in a thread of its own, so that neither a store that
// does not answer nor a slow upload holds one up.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "agent/ship/alert_courier.h"
#include "core/clock.h"
#include "core/file.h"

namespace vouch::ship {

class AlertLane {
 public:
  // Starts to deliver what is there, and what comes, until it is destroyed.
  AlertLane(AlertCourier courier, std::string outbox);
  ~AlertLane();
  AlertLane(const AlertLane&) = delete;
  AlertLane& operator=(const AlertLane&) = delete;

  // Nothing waits, as of its last look.
  [[nodiscard]] bool idle() const { return idle_; }

 private:
  void work();

  AlertCourier courier_;
  std::string outbox_;
  Fd stop_;
  std::atomic<bool> idle_{false};
  std::thread thread_;
};

}  // namespace vouch::ship
