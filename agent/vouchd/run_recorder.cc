// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/run_recorder.h"

#include "agent/vouchd/idle_memory.h"

#include <algorithm>
#include <map>

#include "core/digest.h"
#include "core/log.h"
#include "proto/limits.h"
#include "proto/names.h"

namespace vouch::agent {
namespace {

// A run in full is due every 24 h; an hour early, since it is sealed later than it ran.
constexpr WallMs kFullEveryMs = WallMs{23} * 3600 * 1000;

// What a cache token holds for: another version, executable or options void it.
std::string cache_basis(const Collector& collector) {
  return sha256_hex(collector.digest + "\n" + json::write(collector.options));
}

RunId run_id(const Collector& collector, const ScheduleEntry& entry, const RunOrder& order,
             const CollectorState& state, WallMs now) {
  if (order.trigger == Trigger::schedule) return {collector.name, order.tick, 0};
  return extra_run_id(collector.name, entry, state, now);
}

// Counts the runs that are no tick's, for ever: so each has an id of its own, also after the clock
// was set back or the interval changed.
void count_extra(CollectorState& state, const std::string& run) {
  const auto id = parse_run_id(run);
  if (!id || id->scheduled()) return;
  state.extra_tick = id->tick;
  state.extra_count = id->extra;
}

WallMs due_ms(const RunTimes& times) {
  return times.scheduled ? *times.scheduled * 1000 : 0;
}

bool same_table(const TableRef& a, const TableRef& b) {
  return a.name == b.name && a.sha256 == b.sha256 && a.error == b.error;
}

bool same_tables(const RunContent& a, const RunContent& b) {
  return a.collector == b.collector &&
         std::equal(a.tables.begin(), a.tables.end(), b.tables.begin(), b.tables.end(), same_table);
}

}  // namespace

RunId extra_run_id(const std::string& collector, const ScheduleEntry& entry,
                   const CollectorState& state, WallMs now) {
  return {collector, last_tick(entry, now).value_or(0), state.extra_count + 1};
}

bool differs(const RunContent& before, const RunContent& after, const Manifest& manifest) {
  if (before.collector != after.collector || before.policy != after.policy ||
      before.engine != after.engine || before.outcomes != after.outcomes ||
      before.tables.size() != after.tables.size()) {
    return true;
  }
  for (std::size_t i = 0; i < after.tables.size(); ++i) {
    const TableSchema* schema = manifest.find(after.tables[i].name);
    const bool is_volatile = schema != nullptr && schema->is_volatile;
    if (!is_volatile && !same_table(before.tables[i], after.tables[i])) return true;
  }
  return false;
}

Result<RunRequest> RunRecorder::make_request(const Collector& collector, WallMs now,
                                             std::string run) {
  RunRequest request;
  request.run = std::move(run);
  request.options = collector.options;
  request.deadline_ms = collector.deadline_s * 1000;
  const std::string basis = cache_basis(collector);
  bool all_fresh = true;
  for (const TableSchema& table : collector.manifest.tables) {
    request.tables.push_back(table.name);
    auto token = state_.waiting.token(collector.name, table.name);
    if (!token) return std::move(token).error();
    if (!*token || (*token)->basis != basis) continue;
    all_fresh = all_fresh && now - (*token)->full_at < kFullEveryMs && now >= (*token)->full_at;
    request.cache[table.name] = (*token)->token;
  }
  request.tables.emplace_back("gaps");
  if (!all_fresh) request.cache.clear();
  return request;
}

Result<std::vector<TableRef>> RunRecorder::keep_tables(const Collector& collector,
                                                       const Snapshot& snapshot) {
  std::vector<TableRef> tables;
  for (const TableAnswer& answer : snapshot.tables) {
    TableRef ref;
    ref.name = answer.name;
    switch (answer.kind) {
      case TableAnswer::Kind::error:
        ref.error = TableError{answer.error_code, answer.error_message};
        break;
      case TableAnswer::Kind::table:
        ref.rows = answer.blob.rows;
        ref.sha256 = answer.blob.sha256;
        if (auto put = state_.put_blob(ref.sha256, answer.blob.bytes); !put) {
          return std::move(put).error();
        }
        break;
      case TableAnswer::Kind::unchanged: {
        auto token = state_.waiting.token(collector.name, answer.name);
        if (!token) return std::move(token).error();
        if (!*token) return Error{Errc::corrupt, "unchanged table without a token"};
        ref.rows = (*token)->rows;
        ref.sha256 = (*token)->sha256;
        ref.unchanged = true;
        break;
      }
    }
    tables.push_back(std::move(ref));
  }
  return tables;
}

// What the run itself yielded is not read back from the disk.
Result<std::string> RunRecorder::read_blob(const Snapshot& snapshot, std::string_view sha256) {
  for (const TableAnswer& answer : snapshot.tables) {
    if (answer.kind == TableAnswer::Kind::table && answer.blob.sha256 == sha256) {
      return answer.blob.bytes;
    }
  }
  return state_.read_blob(sha256);
}

std::vector<Observed> RunRecorder::others(const std::vector<CollectorState>& states,
                                          const std::string& collector) const {
  std::vector<Observed> observed;
  for (const CollectorState& state : states) {
    if (state.name == collector || !state.content) continue;
    observed.push_back({state.name, state.content_run, state.observed, &*state.content});
  }
  return observed;
}

Status RunRecorder::commit_failure(CollectorState& before, RunTimes times, const RunReport& report,
                                   const RunViolation& violation) {
  RunFailed failed;
  static_cast<RunTimes&>(failed) = std::move(times);
  const bool crashed = violation.reason == Violation::crash;
  if (crashed) {  // A record of a crash has no start (docs/formats/records.md).
    failed.started.reset();
    failed.duration_ms.reset();
  }
  if (report.was_started) failed.collector = report.collector;
  failed.reason = to_string(violation.reason);
  failed.message =
      json::is_valid_utf8(violation.message) && violation.message.size() <= kMessageBytesMax
          ? violation.message
          : "the reason is too long for a record; it is in the agent's log";
  log::warn(failed.run + " failed: " + failed.reason + ": " + violation.message,
            {{"event", "run-failed"},
             {"collector", failed.run.substr(0, failed.run.find('/'))},
             {"run", failed.run},
             {"reason", failed.reason}});

  WaitingRecord record;
  record.due = due_ms(failed);
  record.urgent = before.failure != failed.reason;
  before.failure = failed.reason;
  count_extra(before, failed.run);
  record.record = std::move(failed);
  return state_.ledger.transaction(clock_.wall_ms(), [&]() -> Status {
    if (auto added = state_.waiting.add(record, {}); !added) return added;
    // Perhaps what the tokens stand for is lost: the next run answers in full.
    if (crashed) {
      if (auto done = state_.waiting.forget_tokens(before.name); !done) return done;
    }
    return state_.waiting.set_collector(before);
  });
}

Status RunRecorder::commit_observation(CollectorState& before, RunTimes times, Judged judged,
                                       const Collector& collector, const Snapshot& snapshot) {
  for (const auto& [sha256, bytes] : judged.blobs) {
    if (auto put = state_.put_blob(sha256, bytes); !put) return put;
  }
  Observation observation;
  static_cast<RunTimes&>(observation) = std::move(times);
  observation.now = observation.started.value_or(0) / 1000;
  observation.content = judged.content;

  const WallMs now = observation.finished;
  WaitingRecord record;
  record.due = due_ms(observation);
  record.content_digest = content_digest_of(judged.content);
  const bool same = before.content && before.content_digest == record.content_digest;
  record.urgent = !before.failure.empty() || !before.content ||
                  differs(*before.content, judged.content, collector.manifest);
  record.full = !same || now - before.content_since >= kFullEveryMs || now < before.content_since;
  // Others read the tables alone. Were the run another one whenever its own inputs are, two
  // collectors that read each other's would never again have a run like the one before.
  if (!before.content || !same_tables(*before.content, judged.content) || (same && record.full)) {
    before.content_run = observation.run;
  }
  if (record.full) before.content_since = now;
  before.content = std::move(judged.content);
  before.content_digest = record.content_digest;
  before.observed = now;
  before.failure.clear();
  count_extra(before, observation.run);
  record.record = std::move(observation);
  auto blobs = state_.blobs_of(record.record);
  if (!blobs) return std::move(blobs).error();

  const std::string basis = cache_basis(collector);
  return state_.ledger.transaction(now, [&]() -> Status {
    for (const TableAnswer& answer : snapshot.tables) {
      if (answer.kind == TableAnswer::Kind::unchanged && !answer.cache_token) continue;
      Status kept = Ok{};
      if (!answer.cache_token) {
        kept = state_.waiting.forget_token(collector.name, answer.name);
      } else {
        CacheToken token{
            collector.name, answer.name, *answer.cache_token, answer.blob.sha256, answer.blob.rows,
            basis,          now};
        if (answer.kind == TableAnswer::Kind::unchanged) {
          auto old = state_.waiting.token(collector.name, answer.name);
          if (!old) return std::move(old).error();
          if (*old) token = **old;
          token.token = *answer.cache_token;
        }
        kept = state_.waiting.set_token(token);
      }
      if (!kept) return kept;
    }
    if (auto added = state_.waiting.add(record, *blobs); !added) return added;
    return state_.waiting.set_collector(before);
  });
}

Result<std::string> RunRecorder::run(const Collector& collector, const ScheduleEntry& entry,
                                     const RunOrder& order, RunJudge& judge,
                                     const std::vector<Collector>& all) {
  auto states = state_.waiting.collectors();
  if (!states) return std::move(states).error();
  std::erase_if(*states, [&](const CollectorState& state) {  // No longer configured: not read.
    return std::none_of(all.begin(), all.end(),
                        [&](const Collector& configured) { return configured.name == state.name; });
  });
  auto before = state_.waiting.collector(collector.name);
  if (!before) return std::move(before).error();
  const WallMs now = clock_.wall_ms();
  RunTimes times;
  times.run = write_run_id(run_id(collector, entry, order, *before, now));
  times.trigger = order.trigger;
  times.cause = order.cause;
  if (order.trigger == Trigger::schedule) times.scheduled = due_at(entry, order.tick);

  auto request = make_request(collector, now, times.run);
  if (!request) return std::move(request).error();
  release_code();
  const RunReport report = runner_.run(collector, *request);
  times.started = report.started;
  times.finished = std::max(report.finished, report.started);
  times.duration_ms = report.duration_ms;
  const std::string id = times.run;
  const auto finish = [&](const Status& status) -> Result<std::string> {
    if (!status) return Error(status.error()).in("record " + id);
    return id;
  };
  if (const auto* violation = std::get_if<RunViolation>(&report.result)) {
    return finish(commit_failure(*before, std::move(times), report, *violation));
  }

  const auto& snapshot = std::get<Snapshot>(report.result);
  for (const LogLine& line : snapshot.log) {
    if (line.level == "warn") {
      log::warn(collector.name + ": " + line.message, {{"collector", collector.name}});
    }
  }
  auto tables = keep_tables(collector, snapshot);
  if (!tables) return std::move(tables).error();
  History history;
  history.before = before->content;
  history.others = others(*states, collector.name);
  auto baselines = state_.baselines.list();
  if (!baselines) return std::move(baselines).error();
  history.baselines.assign(baselines->begin(), baselines->end());
  const BlobSource source{
      [&](std::string_view sha256) { return read_blob(snapshot, sha256); },
      [&](std::string_view sha256) { return state_.bundles.blob_bytes(sha256); }};
  auto judged =
      judge.judge(collector, report.collector, report.started / 1000, *tables, history, source);
  if (!judged) {
    // Without a verdict there is no observation, and the reason must not get lost.
    const auto reason =
        judged.error().code == Errc::too_large ? Violation::output_too_large : Violation::crash;
    const RunViolation violation{reason, 0, judged.error().message};
    return finish(commit_failure(*before, std::move(times), report, violation));
  }
  return finish(
      commit_observation(*before, std::move(times), *std::move(judged), collector, snapshot));
}

}  // namespace vouch::agent
