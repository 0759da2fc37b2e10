// SPDX-License-Identifier: Apache-2.0
// Records (docs/formats/records.md): one object of a bundle's `records` array, what one run or
// event yielded. Reading is strict on kinds and types and ignores unknown members.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "proto/event.h"

namespace vouch {

struct TableError {
  std::string code;  // is_error_code()
  std::string message;

  bool operator==(const TableError&) const = default;
};

// A table that a run yielded or a check read: by digest, or with the reason why it is missing.
struct TableRef {
  std::string name;
  std::int64_t rows = 0;
  std::string sha256;
  bool unchanged = false;           // The collector said so; the digest is that of the run before.
  std::optional<TableError> error;  // Then no rows, no digest.
  std::optional<std::string> run;   // Inputs only: the other run that it comes from.

  bool operator==(const TableRef&) const = default;
};

struct CollectorRef {
  std::string name;
  std::string version;
  std::string digest;  // Of the executable that ran.

  bool operator==(const CollectorRef&) const = default;
};

struct OutcomesRef {
  std::int64_t rows = 0;
  std::string sha256;

  bool operator==(const OutcomesRef&) const = default;
};

// The six members that an unchanged run leaves out.
struct RunContent {
  CollectorRef collector;
  std::vector<TableRef> tables;
  std::vector<TableRef> inputs;
  std::string policy;  // Digest of the policy set.
  std::string engine;
  OutcomesRef outcomes;

  bool operator==(const RunContent&) const = default;
};

// An earlier observation of the same collector in this chain, sealed at most 24 h before, itself
// without same_as, whose content is equal.
struct SameAs {
  std::int64_t seq = 0;
  std::string run;

  bool operator==(const SameAs&) const = default;
};

enum class Trigger { schedule, start, watch, manual };
std::string_view to_string(Trigger trigger);

// What observation and run-failed have in common.
struct RunTimes {
  std::string run;
  Trigger trigger = Trigger::schedule;
  std::string cause;                     // The path, for Trigger::watch alone.
  std::optional<WallSeconds> scheduled;  // When the tick was due; for scheduled runs alone.
  std::optional<WallMs> started;         // Absent only in a run-failed after a crash.
  WallMs finished = 0;
  std::optional<std::int64_t> duration_ms;  // Monotonic clock; absent with `started`.

  bool operator==(const RunTimes&) const = default;
};

struct Observation : RunTimes {
  WallSeconds now = 0;  // The value of :now.
  std::variant<RunContent, SameAs> content;

  bool operator==(const Observation&) const = default;
};

struct RunFailed : RunTimes {
  std::optional<CollectorRef> collector;  // Absent if it was never started.
  std::string reason;                     // to_string(Violation)
  std::string message;

  bool operator==(const RunFailed&) const = default;
};

using Record =
    std::variant<Observation, RunFailed, RunMissed, RunSuppressed, AgentStart, AgentStop, Heartbeat,
                 ClockStep, KeyRotate, ConfigChange, PolicyChange, WaiverChange, Approval,
                 Attachment, SpoolDrop, Refused, LogAlarm, StoreRollback, LogSuccession, LogRepin>;

std::string_view kind_of(const Record& record);  // "observation", "run-missed", …
// The times of an observation or run-failed; nullptr for an event.
const RunTimes* run_times(const Record& record);

json::Value to_json(const Record& record);
// Errors name the member.
Result<Record> parse_record(const json::Value& value);

}  // namespace vouch
