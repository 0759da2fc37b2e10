// SPDX-License-Identifier: Apache-2.0
// What was collected and not sealed yet, in the ledger; and where each collector stands.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/sqlite.h"
#include "proto/record.h"

namespace vouch::agent {

struct WaitingRecord {
  std::int64_t id = 0;
  Record record;
  WallMs due = 0;       // Of its tick; 0 for what is no scheduled run. Sealed once due < period.to.
  bool urgent = false;  // Something changed: seal soon.
  bool full = false;    // Never to be sealed as same_as.
  std::string content_digest;  // Of an observation; else empty.
};

// One collector. `content` is what its last good run yielded.
struct CollectorState {
  std::string name;
  std::int64_t extra_tick = 0;  // The last triggered run was <name>/<extra_tick>+<extra_count>.
  std::int64_t extra_count = 0;
  std::optional<RunContent> content;
  std::string content_digest;
  std::string content_run;     // The first of the runs with these tables: inputs name it.
  WallMs content_since = 0;    // When that was.
  WallMs observed = 0;         // When the last good run ended.
  std::string failure;         // Why the last run failed; empty: it did not.
  std::int64_t base_seq = -1;  // The sealed observation that a same_as may name.
  std::string base_run;
  std::string base_digest;
  WallMs base_sealed = 0;
};

// The token of a table's last answer, and what that answer was.
struct CacheToken {
  std::string collector, table, token;
  std::string sha256;
  std::int64_t rows = 0;
  std::string basis;   // Version, options and root that it holds for.
  WallMs full_at = 0;  // When the collector last answered in full.
};

// The digest by which contents are compared: of the six members that a same_as leaves out.
std::string content_digest_of(const RunContent& content);

// Is told of each record, within the transaction that adds it: an error undoes both.
class RecordListener {
 public:
  virtual ~RecordListener() = default;
  virtual Status on_record(const Record& record) = 0;
};

class WaitingRecords {
 public:
  explicit WaitingRecords(sqlite::Database& database) : database_(database) {}

  // Null: nobody. Must outlive the records, or be taken away.
  void set_listener(RecordListener* listener) { listener_ = listener; }

  // `blobs` are those that the record refers to: they are kept while it waits.
  Status add(const WaitingRecord& record, const std::vector<std::string>& blobs);
  Result<std::vector<WaitingRecord>> list(std::size_t count_max);  // In order of making.
  Status remove(std::int64_t id);
  [[nodiscard]] Result<std::int64_t> count();
  // The least `due` of those that are urgent; nothing if none is.
  [[nodiscard]] Result<std::optional<WallMs>> urgent_due();

  Result<CollectorState> collector(std::string_view name);  // A new one if it is not known.
  Result<std::vector<CollectorState>> collectors();
  Status set_collector(const CollectorState& state);

  Result<std::optional<CacheToken>> token(std::string_view collector, std::string_view table);
  Status set_token(const CacheToken& token);
  Status forget_token(std::string_view collector, std::string_view table);
  Status forget_tokens(std::string_view collector);

 private:
  sqlite::Database& database_;
  RecordListener* listener_ = nullptr;
};

}  // namespace vouch::agent
