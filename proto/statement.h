// SPDX-License-Identifier: Apache-2.0
// The in-toto Statement v1 of a bundle and its predicate (docs/formats/bundle.md): the payload of
// the DSSE envelope. Rules between bundles are in proto/chain.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "proto/record.h"

namespace vouch {

inline constexpr std::string_view kStatementType = "https://in-toto.io/Statement/v1";
inline constexpr std::string_view kBundlePredicateType = "urn:vouch:evidence-bundle:v1";
inline constexpr WallMs kNextDueMsMax = WallMs{24} * 3600 * 1000;

struct Subject {
  std::string name;
  std::string sha256;

  bool operator==(const Subject&) const = default;
};

struct AgentInfo {
  std::string id;
  std::string host;
  std::string machine;
  std::string version;
  std::string digest;  // Of the executable.
};

struct ScheduleCounts {
  std::int64_t carried = 0;  // |open| of the bundle before.
  std::int64_t expected = 0;
  std::int64_t observed = 0;
  std::int64_t failed = 0;
  std::int64_t missed = 0;
  std::int64_t suppressed = 0;
  std::vector<std::string> open;  // Run ids: due and still running.
};

// The checkpoint verified last. With `sig` it convicts a forking store by itself.
struct LogSeen {
  std::string origin;
  std::int64_t size = 0;
  std::string root;  // base64
  std::string sig;   // The last field of its signature line.

  bool operator==(const LogSeen&) const = default;
};

struct EnrolmentRef {
  std::int64_t leaf_index = 0;
  std::string statement;  // SHA-256 of the enrolment's PAE.
};

struct Bundle {
  AgentInfo agent;
  std::int64_t seq = 0;
  std::string prev;  // 64 zeros for seq 0.
  std::int64_t epoch = 0;
  WallMs period_from = 0;  // Half-open: [from, to).
  WallMs period_to = 0;
  std::string boot_id;
  std::int64_t boot_us = 0;
  WallMs sealed = 0;
  bool clock_synced = false;
  std::string clock_source;  // "chrony", "none", …
  std::optional<std::int64_t> clock_error_us;
  std::string config;  // Digest; in force for the whole bundle.
  ScheduleCounts schedule;
  std::vector<Record> records;
  WallMs next_due = 0;
  std::optional<LogSeen> log_seen;
  std::optional<EnrolmentRef> enrolment;  // Seq 0 alone.
};

struct Statement {
  std::vector<Subject> subject;  // Sorted by name; each digest once.
  Bundle bundle;

  [[nodiscard]] bool has_subject(std::string_view sha256) const;
};

// Refuses (Errc::invalid, too_large) what is not of the form, above a limit, of an unknown
// predicateType, kind or type, or contradicts itself: see check_bundle(). The message is
// "<JSON pointer>: <reason>".
Result<Statement> parse_statement(std::string_view payload);
// RFC 8785. Fails if the result could not be read back: the same checks.
Result<std::string> write_statement(const Statement& statement);

// What one bundle must satisfy by itself: period, next_due, the place of key-rotate and
// config-change, run ids once each, the counts of `schedule` against the records and
// carried + expected = observed + failed + missed + suppressed + |open|.
Status check_bundle(const Bundle& bundle);
// `observed` to `suppressed` as the records have them; `carried`, `expected`, `open` are left
// alone.
void count_runs(const std::vector<Record>& records, ScheduleCounts& counts);

}  // namespace vouch
