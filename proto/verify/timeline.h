// SPDX-License-Identifier: Apache-2.0
// Step 4 of the verifier: what the log's leaves say of each agent. Which key signs which bundle is
// known from here, before a bundle is looked at.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "proto/keys.h"
#include "proto/leaf.h"
#include "proto/verify/silence.h"
#include "proto/verify/verdict.h"

namespace vouch::verify {

struct Epoch {
  std::int64_t first_seq = 0;
  PublicKey key;
};

struct Revocation {
  std::string keyid;
  std::int64_t from_seq = 0;
  std::uint64_t index = 0;  // Of the leaf.
};

// A chain that came over from a log whose key was lost.
struct Repinned {
  std::size_t log = 0;
  leaf::Repin leaf;
};

struct AgentTimeline {
  std::string agent;
  leaf::Enrol enrol;  // Of the first leaf that names the agent: `enrol`, or `repin`.
  std::uint64_t enrol_index = 0;
  std::optional<WallMs> enrolled_at;  // By the log; absent in selective mode.
  std::vector<Epoch> epochs;
  std::int64_t first_epoch = 0;  // The number of epochs.front().
  std::int64_t next_seq = 0;     // After the bundles logged.
  std::string last_id;           // Of the newest bundle, raw; empty: none yet.
  std::vector<Repinned> repins;
  bool begins_repinned = false;  // What came before repins.front() is in no log that is here.
  WallMs last_at = 0;            // Of the newest bundle leaf.
  std::vector<leaf::Drop> drops;
  std::vector<leaf::Fork> forks;
  std::vector<Revocation> revocations;
  NotesBySeq notes;                      // Silence and lateness, by the log.
  std::optional<std::int64_t> last_seq;  // Decommissioned after it.
  std::optional<Failure> failure;        // The first.
  std::int64_t sound_below = kNoLimit;   // Bundles from this seq on are not looked at.

  static constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();
  // Keeps the failure with the lowest seq from which the chain does not count.
  void fail_from(std::int64_t seq, Failure found);

  // Epoch of the bundle `seq`, as an index into `epochs`.
  [[nodiscard]] std::size_t epoch_of(std::int64_t seq) const;
};

// A bundle in the log, in 200 bytes: a log of a million must fit.
struct LoggedBundle {
  std::uint64_t index = 0;
  WallMs at = 0;
  std::size_t agent = 0;  // Into Timelines::agents.
  std::size_t log = 0;    // Into Logs.
  std::int64_t seq = 0;
  std::uint64_t place = 0;          // Of its leaf, over all logs.
  std::string id, prev, signature;  // Raw bytes.
};

struct Timelines {
  std::vector<AgentTimeline> agents;
  std::map<std::string, std::size_t, std::less<>> by_id;
  std::vector<LoggedBundle> bundles;  // In log order.
  std::vector<leaf::Approval> approvals;
  std::vector<leaf::Purge> purges;
  std::optional<InventoryNamed> inventory;  // The newest.
  WallMs last_at = 0;
  std::uint64_t leaves = 0;
  std::int64_t overdue = 0;  // Leaves.
  std::int64_t late = 0;     // Leaves.

  std::size_t log = 0;  // Of the leaves taken now …
  std::string folder;   // … and what names it in a failure: "logs/log1/", or "".

  // The leaves that follow are of this log.
  void begin_log(std::size_t number, std::string its_folder);
  // Takes the next leaf. A failure concerns the log as a whole; what concerns one agent is kept in
  // its timeline.
  std::optional<Failure> add(std::uint64_t index, const leaf::Leaf& leaf);
};

}  // namespace vouch::verify
