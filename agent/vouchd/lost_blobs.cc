// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/lost_blobs.h"

#include <set>

#include "agent/vouchd/state.h"
#include "core/log.h"
#include "proto/drop_notice.h"
#include "proto/dsse.h"

namespace vouch::agent {
namespace {

constexpr std::string_view kBy = "vouchd";
constexpr std::string_view kReason = "lost on the agent's disk";

template <typename... Values>
Status run(sqlite::Database& database, const char* sql, const Values&... values) {
  auto statement = database.prepare(sql);
  if (!statement) return std::move(statement).error();
  int index = 0;
  (statement->bind(++index, values), ...);
  return statement->run();
}

// Signed with the key of that bundle's epoch; names all that is lost of it, earlier losses too.
// Nothing, if that key is erased: then an operator of the store has to say so.
Result<std::optional<std::string>> make_notice(State& state, const SealedBundle& bundle,
                                               const std::vector<std::string>& digests) {
  if (!state.keys.has(bundle.epoch)) return std::optional<std::string>();
  auto key = state.keys.load(bundle.epoch);
  if (!key) return std::move(key).error();
  auto envelope = dsse::parse(bundle.envelope);
  if (!envelope) return std::move(envelope).error();
  auto statement = parse_statement(envelope->payload);
  if (!statement) return std::move(statement).error();
  std::set<std::string> lost(digests.begin(), digests.end());
  auto before = state.lost.notice(bundle.seq);
  if (!before) return std::move(before).error();
  if (*before) {
    auto opened = drop_notice::parse(**before);
    if (!opened) return std::move(opened).error();
    for (const Subject& subject : opened->notice.lost) lost.insert(subject.sha256);
  }
  drop_notice::Notice notice{
      state.identity.agent, bundle.seq, {}, std::string(kBy), std::string(kReason)};
  for (const Subject& subject : statement->subject) {
    if (lost.contains(subject.sha256)) notice.lost.push_back(subject);
  }
  auto made = drop_notice::make(notice, *key);
  if (!made) return std::move(made).error();
  return std::optional(*std::move(made));
}

Status drop(State& state, const SealedBundle& bundle, const std::vector<std::string>& digests,
            WallMs now) {
  const std::int64_t seq = bundle.seq;
  auto notice = make_notice(state, bundle, digests);
  if (!notice) return std::move(notice).error().in("drop notice");
  SpoolDrop record;
  record.at = now;
  record.first_seq = seq;
  record.last_seq = seq;
  record.sha256 = digests;
  record.by = kBy;
  record.reason = kReason;
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
    if (*notice) {
      if (auto set = state.lost.set_notice(seq, **notice); !set) return set;
    }
    return state.waiting.add(waiting, {});
  });
  if (!done) return done;
  log::error("bundle " + std::to_string(seq) + ": " + std::to_string(digests.size()) +
                 " blobs are lost on this host's disk, for good: spool-drop",
             {{"event", "spool-drop"}, {"seq", std::to_string(seq)}});
  if (*notice) {
    if (auto written = state.outbox.write_notice(seq, **notice); !written) return written;
  } else {
    log::error("the key of that bundle is erased: an operator of the store has to excuse them");
  }
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

Result<std::optional<std::string>> LostBlobs::notice(std::int64_t seq) {
  auto select = database_.prepare("SELECT notice FROM drops WHERE seq = ?");
  if (!select) return std::move(select).error();
  auto row = select->bind(1, seq).step();
  if (!row) return std::move(row).error();
  if (!*row) return std::optional<std::string>();
  return std::optional(select->text(0));
}

Status LostBlobs::set_notice(std::int64_t seq, std::string_view notice) {
  return run(database_, "INSERT OR REPLACE INTO drops VALUES (?, ?)", seq, notice);
}

Status repair_notices(State& state) {
  auto files = state.outbox.notices();
  if (!files) return std::move(files).error();
  auto waiting = state.bundles.in_state(BundleState::waiting);
  if (!waiting) return std::move(waiting).error();
  std::set<std::int64_t> stale(files->begin(), files->end());
  for (const SealedBundle& bundle : *waiting) {
    auto notice = state.lost.notice(bundle.seq);
    if (!notice) return std::move(notice).error();
    if (!*notice || stale.erase(bundle.seq) != 0) continue;
    if (auto written = state.outbox.write_notice(bundle.seq, **notice); !written) return written;
  }
  for (const std::int64_t seq : stale) {
    if (auto removed = state.outbox.remove_notice(seq); !removed) return removed;
  }
  return Ok{};
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
      done = drop(state, **bundle, gone, now);
      ++dropped;
    }
    if (!done) return std::move(done).error();
  }
  return dropped;
}

}  // namespace vouch::agent
