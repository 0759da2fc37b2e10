// SPDX-License-Identifier: Apache-2.0
// Bundles for tests: a small, valid chain to take apart.
#pragma once

#include <string>
#include <vector>

#include "proto/chain.h"
#include "proto/record.h"
#include "proto/signing_key.h"
#include "proto/statement.h"

namespace vouch::test {

inline constexpr WallMs kStart = 1'795'289'100'000;  // 2026-11-21T19:25:00.000Z

std::string digest_of(std::string_view text);  // Any digest, told apart by `text`.
SigningKey seeded_key(char seed);

// Every five minutes from before kStart; tick 0 is due at kStart.
std::vector<ScheduleEntry> schedule();

// A scheduled run of access_review that was due at kStart + tick * 5 min.
Observation observation(std::int64_t tick);
RunFailed run_failed(std::int64_t tick);

// One record of every kind, with valid members.
std::vector<Record> one_of_each();

// Seq 0: one observation (tick 0); period of five minutes from kStart.
Statement first_statement();
// The bundle that follows: the next five minutes, tick `seq`.
Statement next_statement(const Statement& before);
// Sets the counts and the subject from the records; for chains whose blobs nobody reads.
void settle(Statement& statement);

std::string id_of(const Statement& statement);  // Its bundle_id.

}  // namespace vouch::test
