// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/lost_blobs.h"

#include "agent/vouchd/state.h"
#include "core/log.h"

namespace vouch::agent {
namespace {

template <typename... Values>
Status run(sqlite::Database& database, const char* sql, const Values&... values) {
  auto statement = database.prepare(sql);
  if (!statement) return std::move(statement).error();
  int index = 0;
  (statement->bind(++index, values), ...);
  return statement->run();
}

Status drop(State& state, std::int64_t seq, const std::vector<std::string>& digests, WallMs now) {
  SpoolDrop record;
  record.at = now;
  record.first_seq = seq;
  record.last_seq = seq;
  record.sha256 = digests;
  record.by = "vouchd";
  record.reason = "lost on the agent's disk";
  WaitingRecord waiting;
  waiting.record = std::move(record);
  waiting.urgent = true;
  auto collectors = state.waiting.collectors();
  if (!collectors) return std::move(collectors).error();
  auto done = state.ledger.transaction(now, [&]() -> Status {
    for (const std::string& sha256 : digests) {
      if (auto given = state.lost.give_up(seq, sha256); !given) return given;
    }
    for (CollectorState& collector : *collectors) {  // No same_as of what cannot be replayed.
      if (collector.base_seq != seq) continue;
      collector.base_seq = -1;
      if (auto set = state.waiting.set_collector(collector); !set) return set;
    }
    return state.waiting.add(waiting, {});
  });
  if (!done) return done;
  log::error("bundle " + std::to_string(seq) + ": " + std::to_string(digests.size()) +
             " blobs are lost on this host's disk, for good: spool-drop");
  return state.write_parcel(seq);
}

}  // namespace

Status LostBlobs::note(std::int64_t seq, std::string_view sha256) {
  return run(database_, "INSERT OR IGNORE INTO lost (seq, sha256) VALUES (?, ?)", seq, sha256);
}

Status LostBlobs::forget(std::int64_t seq, std::string_view sha256) {
  return run(database_, "DELETE FROM lost WHERE seq = ? AND sha256 = ?", seq, sha256);
}

Result<std::map<std::int64_t, std::vector<LostBlobs::Entry>>> LostBlobs::list() {
  auto select = database_.prepare("SELECT seq, sha256, since FROM lost ORDER BY seq, sha256");
  if (!select) return std::move(select).error();
  std::map<std::int64_t, std::vector<Entry>> entries;
  for (;;) {
    auto row = select->step();
    if (!row) return std::move(row).error();
    if (!*row) return entries;
    entries[select->integer(0)].push_back({select->text(1), select->integer(2)});
  }
}

Status LostBlobs::set_since(std::int64_t seq, WallMs since) {
  return run(database_, "UPDATE lost SET since = ? WHERE seq = ?", since, seq);
}

Status LostBlobs::give_up(std::int64_t seq, std::string_view sha256) {
  for (const char* sql : {"DELETE FROM lost WHERE seq = ? AND sha256 = ?",
                          "DELETE FROM bundle_blobs WHERE seq = ? AND sha256 = ?"}) {
    if (auto done = run(database_, sql, seq, sha256); !done) return done;
  }
  return run(database_, "DELETE FROM sent WHERE sha256 = ?", sha256);
}

Result<int> give_up_lost(State& state, WallMs now) {
  auto lost = state.lost.list();
  if (!lost) return std::move(lost).error();
  int dropped = 0;
  for (const auto& [seq, entries] : *lost) {
    auto bundle = state.bundles.find(seq);
    if (!bundle) return std::move(bundle).error();
    const bool waits = *bundle && (*bundle)->state == BundleState::waiting;
    std::vector<std::string> gone;
    bool is_back = false;
    bool is_new = false;
    bool is_over = true;
    for (const LostBlobs::Entry& entry : entries) {
      if (!waits || state.read_blob(entry.sha256)) {
        is_back = true;
        if (auto done = state.lost.forget(seq, entry.sha256); !done) return std::move(done).error();
        continue;
      }
      gone.push_back(entry.sha256);
      is_new = is_new || entry.since == 0 || now < entry.since;
      is_over = is_over && now - entry.since >= kLostMsMax;
    }
    Status done = Ok{};
    if (is_back && waits) done = state.write_parcel(seq);
    if (done && is_new) done = state.lost.set_since(seq, now);
    if (done && !gone.empty() && !is_new && is_over) {
      done = drop(state, seq, gone, now);
      ++dropped;
    }
    if (!done) return std::move(done).error();
  }
  return dropped;
}

}  // namespace vouch::agent
