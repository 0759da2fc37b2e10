// SPDX-License-Identifier: Apache-2.0
// The committer's part of ingest: a checked bundle becomes a leaf, or a fork is put on record.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "store/committer.h"
#include "store/disk.h"
#include "store/screen.h"

namespace vouch::store {

// A parcel that passed every check which needs no exclusive look at the index.
struct Candidate {
  SignedEnvelope signed_envelope;
  Statement statement;
  std::string envelope_file;  // Compressed, as it will lie on the disk.
  std::vector<File> files;    // Small blobs; the large ones are durable already.
  std::vector<std::pair<std::string, std::int64_t>> blobs;  // Digest and raw size of all that came.
  std::vector<std::string> new_subjects;  // Not among the agent's possessions so far.
};

// What became of it.
struct Accepted {
  bool known = false;                 // It was on record already.
  std::optional<std::uint64_t> leaf;  // Of the bundle; for a refused one, of the one on record.
  std::string entry;                  // The leaf's bytes, if it is new.
  std::optional<Problem> refusal;     // Without the proof, which needs the new checkpoint.
  bool fork = false;
};

// In a batch: decides on the chain as it is now. An error is the database's. What was sealed more
// than `late_after_ms` ago gets a `late` leaf too; the first bundle of an agent that was overdue, a
// `recovered` one.
Result<Accepted> accept_bundle(const Candidate& candidate, WallMs late_after_ms, Batch& batch);

}  // namespace vouch::store
