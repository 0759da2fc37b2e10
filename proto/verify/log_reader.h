// SPDX-License-Identifier: Apache-2.0
// Steps 1 to 3 of the verifier: anchors, checkpoints, and every byte of the logs' tiles.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/leaf.h"
#include "proto/policy_file.h"
#include "proto/verify/log_chain.h"
#include "proto/verify/verifier.h"

namespace vouch::verify {

// A log that holds together.
struct Log {
  note::VerifierKey key;
  // The newest; of an earlier log its end, as the first leaf of the log after it names it.
  checkpoint::Checkpoint head;
  std::string roots;  // 32 bytes for each size from 0 to head.size.
  // Signature field of the log's line on each published checkpoint.
  std::map<std::uint64_t, std::string> signatures;
  std::map<std::uint64_t, TimeStamp> time_stamps;  // Of checkpoints, by size: those that hold …
  std::int64_t time_stamps_unchecked = 0;          // … and those that no roots were given for.
  // The largest size that it is known to have signed: above head.size where it was restored.
  std::uint64_t size_seen = 0;

  [[nodiscard]] std::string_view root_at(std::uint64_t size) const;
};

// In their order; the last is the current one.
using Logs = std::vector<Log>;
// Index of the log with this origin.
std::optional<std::size_t> find_log(const Logs& logs, std::string_view origin);

// Receives each leaf in order. A failure stops the calls; hashing goes on, since a log whose
// entries do not hash to its root is the better explanation.
using LeafSink = std::function<std::optional<Failure>(std::uint64_t index, const leaf::Leaf& leaf)>;

// The pinned logs and witnesses: from the options, or else from the export itself.
std::optional<Failure> read_anchors(const Files& files, const Options& options, Verdict& verdict,
                                    policy_file::Policy& policy);
// Reads and checks the whole log at `place`. Nothing means: entries, tiles, root, checkpoints and
// quorum hold.
std::optional<Failure> read_log(const Files& files, const Options& options,
                                const policy_file::Policy& policy, const LogPlace& place, Log& log,
                                const LeafSink& sink);

}  // namespace vouch::verify
