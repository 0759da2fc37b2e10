// SPDX-License-Identifier: Apache-2.0
// Which files of the evidence are lost or damaged. Starts from the log, which says what must be
// there: entries and tiles, bundles and their blobs, enrolments, forks and drop notices. This is
// the store looking after its disk; that the evidence *holds* is what `vouch verify` shows, by its
// own code and with anchors from elsewhere.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/result.h"
#include "proto/note.h"
#include "store/disk.h"
#include "store/index.h"

namespace vouch::store {

struct Fault {
  std::string name;  // In the store's directory.
  bool lost = true;  // Else it is there and damaged.
  std::string detail;
  std::string agent;  // Whose parcel brings it back; empty: a copy of the directory must.
  std::int64_t seq = 0;
};

struct FsckCounts {
  std::uint64_t leaves = 0;
  std::uint64_t bundles = 0;
  std::uint64_t blobs = 0;
  std::uint64_t dropped = 0;  // Blobs that are not there, and a `drop` or `purge` leaf says why.
  std::uint64_t faults = 0;
};

using FaultSink = std::function<void(const Fault&)>;

// Reads everything, once, beside a serving store if need be: leaves that come while it runs are not
// looked at. Fails only where it cannot go on (no index, a disk that cannot be read).
Result<FsckCounts> check_files(Disk& disk, Index& index, const note::VerifierKey& vkey,
                               const FaultSink& sink);

}  // namespace vouch::store
