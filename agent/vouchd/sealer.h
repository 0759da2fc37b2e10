// SPDX-License-Identifier: Apache-2.0
// Sealing (docs/formats/bundle.md, chain.md): what waits becomes numbered, signed bundles. The
// order survives a crash at any point: blobs are durable before, one transaction seals, the parcel
// file follows.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/vouchd/host_facts.h"
#include "agent/vouchd/state.h"
#include "core/clock.h"
#include "core/result.h"
#include "proto/schedule.h"
#include "proto/statement.h"

namespace vouch::agent {

inline constexpr WallMs kSealGapMs = 2000;  // Never closer, but for the parts of a split.

struct SealerOptions {
  HostFacts host;
  std::string executable;  // Digest of the program that seals.
  std::int64_t heartbeat_s = 3600;
  std::int64_t rotate_s = 86400;
  std::int64_t rotate_bundles = 256;
};

class Sealer {
 public:
  // `state` and `clock` must outlive the sealer.
  Sealer(State& state, const Clock& clock, SealerOptions options);

  // When seal() should be called next, by the boot clock in microseconds: soon if something urgent
  // waits, else at the heartbeat.
  Result<std::int64_t> due_us();

  // Seals all that may be sealed now, in as many bundles as it takes; a heartbeat if nothing waits.
  // Returns how many. Errc::denied: a fork of this chain is proved, or another machine: nothing is
  // sealed any more.
  Result<int> seal();
  // The key changes with the next bundle, whether it is time or not.
  void ask_rotation() { rotation_asked_ = true; }

 private:
  struct Draft;
  Result<bool> seal_one(bool is_heartbeat);
  Result<Draft> gather(const ChainHead& head, WallMs now);
  Result<std::vector<ScheduleEntry>> schedule_by(std::string_view config);
  Status leave_nothing_open(const ChainHead& head, Draft& draft);
  Result<Statement> make_statement(const ChainHead& head, const Draft& draft);
  Result<Statement> make_fitting(const ChainHead& head, Draft& draft);
  Result<Record> to_sealed(const ChainHead& head, Draft& draft, std::size_t index);
  Result<bool> replace_unreadable(const ChainHead& head, Draft& draft);
  Status add_rotation(const ChainHead& head, Draft& draft);
  Status check(const ChainHead& head, const Statement& statement);
  Status commit(const ChainHead& head, const Draft& draft, const Statement& statement);
  [[nodiscard]] bool rotation_is_due(const ChainHead& head, WallMs now) const;

  State& state_;
  const Clock& clock_;
  SealerOptions options_;
  bool rotation_asked_ = false;
  std::optional<std::int64_t> last_seal_us_;  // Boot clock; nothing sealed since the start yet.
};

// The ticks due in [from, to) under `schedule`, and those carried over, for which no record
// accounts; by collector.
std::map<std::string, std::vector<TickRange>> open_ticks(const std::vector<ScheduleEntry>& schedule,
                                                         WallMs from, WallMs to,
                                                         const std::vector<std::string>& carried,
                                                         const std::vector<Record>& records);

// A record for each of these ranges: nobody was there.
std::vector<RunMissed> missed_of(const std::map<std::string, std::vector<TickRange>>& ticks,
                                 WallMs at);

// The same as a bundle's `schedule`, with the counts.
ScheduleCounts count_schedule(const std::vector<ScheduleEntry>& schedule, WallMs from, WallMs to,
                              const std::vector<std::string>& carried,
                              const std::vector<Record>& records);

}  // namespace vouch::agent
