// SPDX-License-Identifier: Apache-2.0
// The agent's ledger, agent.db: who this agent is, what waits to be sealed, what was sealed and
// what became of it. Files follow the ledger, never the other way round (docs/formats/outbox.md).
//
// The tables are used through the small classes of waiting_records.h and bundle_ledger.h; several
// calls that belong together go into one transaction().
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/vouchd/collector.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "core/sqlite.h"
#include "policies/engine/pack_cache.h"
#include "proto/chain.h"
#include "proto/statement.h"

namespace vouch::agent {

// Who seals here. Without a store there is no log: `policy` and `enrolment` are absent.
struct Identity {
  std::string agent;    // UUID v4.
  std::string machine;  // derive_machine() of the host that made it.
  std::optional<EnrolmentRef> enrolment;
  std::string policy;  // Text of the policy file; empty: no store is known.
};

// Where the chain stands; the next bundle follows from it.
struct ChainHead {
  ChainLink link;
  std::int64_t bundles_in_epoch = 0;
  WallMs epoch_since = 0;
  WallMs next_due = 0;  // Promised in the last bundle.
};

// The checkpoint accepted last.
struct AcceptedCheckpoint {
  LogSeen seen;
  std::string note;  // Its bytes.
};

class Ledger final : public ManifestCache {
 public:
  // Opens or makes the file. Errc::corrupt if it is damaged.
  static Result<Ledger> open(const std::string& path);

  // One transaction; also notes `now` as the time of the last commit.
  Status transaction(WallMs now, const std::function<Status()>& body);
  sqlite::Database& database() { return database_; }

  // Single values. A read that fails is an error, an absent value is not.
  Result<std::optional<std::string>> get(std::string_view key);
  Status set(std::string_view key, std::string_view value);
  Result<std::int64_t> get_integer(std::string_view key, std::int64_t fallback);
  Status set_integer(std::string_view key, std::int64_t value);

  Result<std::optional<Identity>> identity();
  Status set_identity(const Identity& identity);
  Result<std::optional<ChainHead>> chain_head();
  Status set_chain_head(const ChainHead& head);
  Result<std::optional<AcceptedCheckpoint>> accepted_checkpoint();
  Status set_accepted_checkpoint(const AcceptedCheckpoint& checkpoint);

  // Manifests by the digest of their executable. Losing one costs a --describe.
  std::optional<std::string> find(std::string_view digest) override;
  void keep(std::string_view digest, std::string_view manifest) override;
  // Digests of executables by their place and mark. Losing one costs reading the file.
  std::optional<std::string> find_digest(const std::string& path, const FileMark& mark) override;
  void keep_digest(const std::string& path, const FileMark& mark, std::string_view digest) override;

 private:
  explicit Ledger(sqlite::Database database) : database_(std::move(database)) {}
  sqlite::Database database_;
};

// The packs that this very program has read before, kept in the ledger.
class LedgerPackCache final : public policy::PackCache {
 public:
  // `executable` is the digest of the running program. The ledger must outlive the cache.
  LedgerPackCache(Ledger& ledger, std::string executable)
      : ledger_(ledger), executable_(std::move(executable)) {}
  std::optional<std::string> find(std::string_view pack_digest) override;
  void keep(std::string_view pack_digest, std::string_view form) override;

 private:
  static constexpr std::int64_t kPackFormsMax = 2000;
  Ledger& ledger_;
  std::string executable_;
};

// Keys of single values.
inline constexpr std::string_view kLastCommit = "last_commit_ms";
inline constexpr std::string_view kClean = "stopped_cleanly";  // "1" after agent-stop.
inline constexpr std::string_view kJudgements = "judgements";  // Digest of our program, memo.
inline constexpr std::string_view kConfigInForce = "config";   // Digests of blobs.
inline constexpr std::string_view kPolicyInForce = "policy";
inline constexpr std::string_view kWaiversInForce = "waivers";
inline constexpr std::string_view kPauses = "pauses";  // Windows, as JSON (maintenance.h).
inline constexpr std::string_view kAcknowledgedSeq = "acknowledged_seq";
inline constexpr std::string_view kEnrolmentRequest = "enrolment_request";  // As sent last.
inline constexpr std::string_view kPredecessor = "predecessor";  // Whom enrolment names, and why.
inline constexpr std::string_view kPredecessorEnded = "predecessor_ended";
inline constexpr std::string_view kForked = "forked";       // Proof of a fork: its receipt.
inline constexpr std::string_view kLogAlarm = "log_alarm";  // "1": nothing is deleted any more.

}  // namespace vouch::agent
