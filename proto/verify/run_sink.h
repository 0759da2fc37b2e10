// SPDX-License-Identifier: Apache-2.0
// The seam through which the verifier of a whole log hands on what holds: for whoever computes over
// the evidence what proto does not know, such as the frequencies that packs ask for
// (policies/engine/slots.h). Bundles come in the order of the log, each host's in the order of its
// chain, and only once every check of the bundle has passed.
#pragma once

#include <string_view>
#include <vector>

#include "core/clock.h"
#include "proto/outcomes.h"
#include "proto/schedule.h"
#include "proto/statement.h"
#include "proto/subjects.h"

namespace vouch::verify {

struct VerifiedBundle {
  std::string_view agent;
  WallMs owed_from = 0;  // Host::owed_from; the same in each bundle of a host.
  const Bundle& bundle;
  const std::vector<ScheduleEntry>& schedule;  // Of its config.
};

struct VerifiedRun {
  std::string_view agent;
  // When it was judged: what the host says, kept inside the period of its bundle, so that it never
  // decreases along a chain.
  WallMs at = 0;
  const Observation& observation;
  const RunContent& content;             // Its own, or that of the run its same_as names.
  const std::vector<Outcome>* outcomes;  // nullptr: dropped or purged.
};

// Called from one thread. Nothing handed in lives longer than the call.
class RunSink {
 public:
  virtual ~RunSink() = default;
  virtual void take_bundle(const VerifiedBundle& bundle) = 0;
  // A run of the bundle taken last. `blobs` reads what the run names, checked.
  virtual void take_run(const VerifiedRun& run, const BlobReader& blobs) = 0;
};

}  // namespace vouch::verify
