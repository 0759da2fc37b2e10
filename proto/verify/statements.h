// SPDX-License-Identifier: Apache-2.0
// What lies beside the bundles in a store's directory and is signed too: enrolments, drop notices,
// and the refused branches of forks.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "core/result.h"
#include "proto/verify/log_reader.h"
#include "proto/verify/timeline.h"
#include "proto/verify/verifier.h"

namespace vouch::verify {

// statements/<digest>.json of the enrol leaf: signed by the very key, for this agent and machine.
std::optional<Failure> check_enrolment(const Files& files, const AgentTimeline& agent);
// The same for a `repin` leaf: signed by the key of the chain's epoch at that time, about a log
// that comes before and a tree that it had.
std::optional<Failure> check_repin(const Files& files, const Repinned& repinned, const Logs& logs);

// The digests that a drop leaf excuses; empty: all of that bundle (an operator of the store said
// so, and no notice was signed).
Result<std::set<std::string, std::less<>>> read_drop(const Files& files, const AgentTimeline& agent,
                                                     const leaf::Drop& drop);

// What a fork leaf means for the agent: "fork" if the other branch is there and is signed by the
// agent's key, "bad-fork" if the log claims one that it cannot show.
Failure check_fork(const Files& files, const AgentTimeline& agent, const leaf::Fork& fork);

// Digests, one per line, sorted, LF after each: the manifest of a purge.
Result<std::set<std::string, std::less<>>> parse_digest_list(std::string_view text);

}  // namespace vouch::verify
