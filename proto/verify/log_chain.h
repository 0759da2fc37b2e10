// SPDX-License-Identifier: Apache-2.0
// The logs of a store in their order (docs/formats/succession.md): which there are, where each one
// ends, and what makes its key the right one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proto/leaf.h"
#include "proto/policy_file.h"
#include "proto/verify/verifier.h"

namespace vouch::verify {

inline constexpr std::size_t kLogsMax = 64;

struct LogPlace {
  std::string folder;  // Of its files: "" for the current log, "logs/log1/" for an earlier one.
  std::string origin;
  note::VerifierKey key;
  std::optional<checkpoint::Checkpoint>
      end;                                // By the next log's first leaf; none: the current log.
  std::optional<leaf::Succession> first;  // Its own first leaf, if it succeeds another log.
  bool stated = false;                    // A statement with both signatures leads to it.
};

// Oldest first. Follows the first leaves from the current log backwards, reads the statements, and
// finds a key for each log: pinned by the policy, or bound to a pinned one by a statement
// (forwards) or by the end that a first leaf names (backwards). What lies in logs/ or successions/
// and is not of the chain is a failure. Nothing of a log itself is verified here but that.
std::optional<Failure> find_logs(const Files& files, const policy_file::Policy& policy,
                                 std::vector<LogPlace>& places);

}  // namespace vouch::verify
