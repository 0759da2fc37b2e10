// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/bundle_ledger.h"

#include <unordered_set>

#include "core/digest.h"

namespace vouch::agent {
namespace {

std::string_view name_of(BundleState state) {
  switch (state) {
    case BundleState::waiting:
      return "waiting";
    case BundleState::kept:
      return "kept";
    case BundleState::expired:
      return "expired";
  }
  return "expired";
}

BundleState state_of(std::string_view name) {
  if (name == "waiting") return BundleState::waiting;
  return name == "kept" ? BundleState::kept : BundleState::expired;
}

constexpr const char* kColumns =
    "seq, id, prev, keyid, epoch, rotates, sealed, state, parcel_bytes, acknowledged, "
    "behind_since";

SealedBundle read_bundle(const sqlite::Statement& row) {
  SealedBundle bundle;
  bundle.seq = row.integer(0);
  bundle.id = row.text(1);
  bundle.prev = row.text(2);
  bundle.keyid = row.text(3);
  bundle.epoch = row.integer(4);
  bundle.rotates = row.integer(5) != 0;
  bundle.sealed = row.integer(6);
  bundle.state = state_of(row.text(7));
  bundle.parcel_bytes = row.integer(8);
  bundle.acknowledged = row.integer(9);
  bundle.behind_since = row.integer(10);
  return bundle;
}

// Runs a statement with one or two parameters.
template <typename... Values>
Status run(sqlite::Database& database, const char* sql, const Values&... values) {
  auto statement = database.prepare(sql);
  if (!statement) return std::move(statement).error();
  int index = 0;
  (statement->bind(++index, values), ...);
  return statement->run();
}

// The one integer that a query returns.
template <typename... Values>
Result<std::int64_t> ask(sqlite::Database& database, const char* sql, const Values&... values) {
  auto statement = database.prepare(sql);
  if (!statement) return std::move(statement).error();
  int index = 0;
  (statement->bind(++index, values), ...);
  auto row = statement->step();
  if (!row) return std::move(row).error();
  return *row ? statement->integer(0) : 0;
}

Result<std::vector<std::string>> texts(sqlite::Statement& statement) {
  std::vector<std::string> result;
  for (;;) {
    auto row = statement.step();
    if (!row) return std::move(row).error();
    if (!*row) return result;
    result.push_back(statement.text(0));
  }
}

}  // namespace

Status BundleLedger::add(const SealedBundle& bundle, const std::vector<std::string>& blobs) {
  auto insert = database_.prepare(
      "INSERT INTO bundles (seq, id, prev, keyid, epoch, rotates, sealed, state, envelope) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting', ?)");
  if (!insert) return std::move(insert).error();
  insert->bind(1, bundle.seq).bind(2, bundle.id).bind(3, bundle.prev).bind(4, bundle.keyid);
  insert->bind(5, bundle.epoch).bind(6, static_cast<std::int64_t>(bundle.rotates));
  insert->bind(7, bundle.sealed).bind_blob(8, bundle.envelope);
  if (auto done = insert->run(); !done) return done;

  for (const std::string& sha256 : blobs) {
    if (sha256 == kEmptyDigestHex) continue;
    auto sent = run(database_,
                    "INSERT INTO bundle_blobs SELECT ?, ?2, NOT EXISTS "
                    "(SELECT 1 FROM sent WHERE sha256 = ?2)",
                    bundle.seq, sha256);
    if (!sent) return sent;
    auto noted = run(database_, "INSERT OR IGNORE INTO sent VALUES (?)", sha256);
    if (!noted) return noted;
  }
  return Ok{};
}

Result<std::optional<SealedBundle>> BundleLedger::find(std::int64_t seq) {
  auto select = database_.prepare(std::string("SELECT ") + kColumns +
                                  ", envelope FROM bundles WHERE seq = ?");
  if (!select) return std::move(select).error();
  auto row = select->bind(1, seq).step();
  if (!row) return std::move(row).error();
  if (!*row) return std::optional<SealedBundle>();
  SealedBundle bundle = read_bundle(*select);
  bundle.envelope = select->text(11);
  return std::optional(std::move(bundle));
}

Result<std::vector<SealedBundle>> BundleLedger::in_state(BundleState state) {
  auto select = database_.prepare(std::string("SELECT ") + kColumns +
                                  " FROM bundles WHERE state = ? ORDER BY seq");
  if (!select) return std::move(select).error();
  select->bind(1, name_of(state));
  std::vector<SealedBundle> bundles;
  for (;;) {
    auto row = select->step();
    if (!row) return std::move(row).error();
    if (!*row) return bundles;
    bundles.push_back(read_bundle(*select));
  }
}

Result<std::vector<std::string>> BundleLedger::parcel_blobs(std::int64_t seq) {
  auto select = database_.prepare(
      "SELECT sha256 FROM bundle_blobs WHERE seq = ? AND in_parcel = 1 ORDER BY sha256");
  if (!select) return std::move(select).error();
  select->bind(1, seq);
  return texts(*select);
}

Result<std::vector<std::int64_t>> BundleLedger::parcels_with(std::string_view sha256) {
  auto select = database_.prepare(
      "SELECT seq FROM bundle_blobs JOIN bundles USING (seq) "
      "WHERE sha256 = ? AND in_parcel = 1 AND state <> 'expired' ORDER BY seq");
  if (!select) return std::move(select).error();
  select->bind(1, sha256);
  std::vector<std::int64_t> seqs;
  for (;;) {
    auto row = select->step();
    if (!row) return std::move(row).error();
    if (!*row) return seqs;
    seqs.push_back(select->integer(0));
  }
}

Status BundleLedger::set_parcel_bytes(std::int64_t seq, std::int64_t bytes) {
  return run(database_, "UPDATE bundles SET parcel_bytes = ? WHERE seq = ?", bytes, seq);
}

Status BundleLedger::send_all_blobs(std::int64_t seq) {
  auto done = run(database_, "UPDATE bundle_blobs SET in_parcel = 1 WHERE seq = ?", seq);
  if (!done) return done;
  return set_parcel_bytes(seq, 0);  // Until it is written.
}

Result<bool> BundleLedger::sends_all_blobs(std::int64_t seq) {
  auto left = ask(database_,
                  "SELECT count(*) FROM bundles WHERE seq = ?1 AND (parcel_bytes = 0 OR EXISTS "
                  "(SELECT 1 FROM bundle_blobs WHERE seq = ?1 AND in_parcel = 0))",
                  seq);
  if (!left) return std::move(left).error();
  return *left == 0;
}

Result<bool> BundleLedger::knows_refusal(std::int64_t seq, std::int64_t status) {
  auto count =
      ask(database_, "SELECT count(*) FROM refused WHERE seq = ? AND status = ?", seq, status);
  if (!count) return std::move(count).error();
  return *count != 0;
}

Status BundleLedger::acknowledge(std::int64_t seq, WallMs now, std::string_view receipt) {
  return run(database_,
             "UPDATE bundles SET state = 'kept', acknowledged = ?, behind_since = 0, receipt = ? "
             "WHERE seq = ? AND state = 'waiting'",
             now, receipt, seq);
}

Result<std::string> BundleLedger::receipt(std::int64_t seq) {
  auto select = database_.prepare("SELECT receipt FROM bundles WHERE seq = ?");
  if (!select) return std::move(select).error();
  auto row = select->bind(1, seq).step();
  if (!row) return std::move(row).error();
  return *row ? select->text(0) : std::string();
}

Status BundleLedger::refill(std::int64_t seq) {
  return run(database_, "UPDATE bundles SET state = 'waiting' WHERE state = 'kept' AND seq >= ?",
             seq);
}

Status BundleLedger::set_behind_since(std::int64_t seq, WallMs since) {
  return run(database_, "UPDATE bundles SET behind_since = ? WHERE seq = ?", since, seq);
}

Status BundleLedger::expire(std::int64_t seq) {
  auto done = run(database_,
                  "UPDATE bundles SET state = 'expired', envelope = x'' WHERE seq = ? AND "
                  "state = 'kept'",
                  seq);
  if (!done) return done;
  return run(database_, "DELETE FROM bundle_blobs WHERE seq = ?", seq);
}

Result<bool> BundleLedger::note_refusal(std::int64_t seq, std::int64_t status,
                                        std::string_view problem) {
  auto done =
      run(database_, "INSERT OR IGNORE INTO refused VALUES (?, ?, ?)", seq, status, problem);
  if (!done) return std::move(done).error();
  return database_.changes() == 1;
}

Result<bool> BundleLedger::epoch_in_use(std::int64_t epoch) {
  auto count =
      ask(database_, "SELECT count(*) FROM bundles WHERE state = 'waiting' AND epoch = ?", epoch);
  if (!count) return std::move(count).error();
  return *count != 0;
}

Status BundleLedger::note_blob(std::string_view sha256, std::int64_t bytes) {
  if (sha256 == kEmptyDigestHex) return Ok{};
  return run(database_, "INSERT OR IGNORE INTO blobs VALUES (?, ?)", sha256, bytes);
}

Result<std::int64_t> BundleLedger::blob_bytes(std::string_view sha256) {
  return ask(database_, "SELECT bytes FROM blobs WHERE sha256 = ?", sha256);
}

Result<std::vector<std::string>> BundleLedger::unused_blobs(
    const std::vector<std::string>& in_use) {
  auto select = database_.prepare(
      "SELECT sha256 FROM blobs WHERE sha256 NOT IN (SELECT sha256 FROM bundle_blobs) "
      "AND sha256 NOT IN (SELECT sha256 FROM waiting_blobs) "
      "AND sha256 NOT IN (SELECT sha256 FROM baselines)");
  if (!select) return std::move(select).error();
  auto candidates = texts(*select);
  if (!candidates) return candidates;
  const std::unordered_set<std::string> used(in_use.begin(), in_use.end());
  std::erase_if(*candidates, [&](const std::string& sha256) { return used.contains(sha256); });
  return candidates;
}

Status BundleLedger::forget_blob(std::string_view sha256) {
  return run(database_, "DELETE FROM blobs WHERE sha256 = ?", sha256);
}

Result<bool> BundleLedger::knows_blob(std::string_view sha256) {
  auto count = ask(database_, "SELECT count(*) FROM blobs WHERE sha256 = ?", sha256);
  if (!count) return std::move(count).error();
  return *count != 0;
}

Result<std::int64_t> BundleLedger::spool_bytes() {
  return ask(database_, "SELECT sum(parcel_bytes) FROM bundles WHERE state = 'waiting'");
}

Result<std::vector<Refusal>> BundleLedger::refusals() {
  auto statement = database_.prepare(
      "SELECT r.seq, r.status, r.problem FROM refused r JOIN bundles b ON b.seq = r.seq "
      "WHERE b.state = 'waiting' ORDER BY r.seq, r.status");
  if (!statement) return std::move(statement).error();
  std::vector<Refusal> refusals;
  for (;;) {
    auto row = statement->step();
    if (!row) return std::move(row).error();
    if (!*row) return refusals;
    refusals.push_back({statement->integer(0), statement->integer(1), statement->text(2)});
  }
}

Result<std::optional<WallMs>> BundleLedger::oldest_waiting() {
  auto statement =
      database_.prepare("SELECT sealed FROM bundles WHERE state = 'waiting' ORDER BY seq LIMIT 1");
  if (!statement) return std::move(statement).error();
  auto row = statement->step();
  if (!row) return std::move(row).error();
  if (!*row) return std::optional<WallMs>();
  return std::optional(statement->integer(0));
}

}  // namespace vouch::agent
