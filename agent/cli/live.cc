// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/live.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/vouchd/run_judge.h"
#include "core/digest.h"
#include "policies/engine/table.h"

namespace vouch::cli {
namespace {

constexpr std::string_view kGaps = "gaps";

TableRef failed(std::string_view table, std::string_view code, std::string_view message) {
  TableRef ref;
  ref.name = table;
  ref.error = TableError{std::string(code), std::string(message)};
  return ref;
}

RunRequest make_request(const agent::Collector& collector, const LiveOrder& order,
                        const std::string& id) {
  RunRequest request;
  request.run = id;
  request.options = collector.options;
  request.root = order.root;
  request.deadline_ms = collector.deadline_s * 1000;
  for (const auto& table : collector.manifest.tables) {
    if (order.tables.empty() || order.tables.contains(table.name)) {
      request.tables.push_back(table.name);
    }
  }
  if (!request.tables.empty()) request.tables.emplace_back(kGaps);
  return request;
}

void take_snapshot(Snapshot snapshot, LiveRun& run, Live& live) {
  for (auto& answer : snapshot.tables) {
    if (answer.kind == TableAnswer::Kind::error) {
      run.tables.push_back(failed(answer.name, answer.error_code, answer.error_message));
      continue;
    }
    TableRef ref;
    ref.name = answer.name;
    ref.rows = answer.blob.rows;
    ref.sha256 = answer.blob.sha256;
    live.blobs[ref.sha256] = std::move(answer.blob.bytes);
    run.tables.push_back(std::move(ref));
  }
}

}  // namespace

Live collect_now(const std::vector<agent::Collector>& collectors, const LiveOrder& order,
                 agent::Runner& runner, const Clock& clock) {
  Live live;
  live.now = clock.wall_ms() / 1000;
  for (const auto& collector : collectors) {
    LiveRun run;
    run.collector = &collector;
    run.id = collector.name + "/0+1";
    const auto request = make_request(collector, order, run.id);
    if (request.tables.empty()) continue;
    auto report = runner.run(collector, request);
    run.ran = report.collector;
    if (auto* snapshot = std::get_if<Snapshot>(&report.result)) {
      take_snapshot(std::move(*snapshot), run, live);
    } else {
      run.violation = std::get<RunViolation>(std::move(report.result));
      for (const auto& table : request.tables) {
        run.tables.push_back(failed(table, "tool-failed", to_string(run.violation->reason)));
      }
    }
    live.runs.push_back(std::move(run));
  }
  return live;
}

Result<LiveOutcomes> judge_now(const Live& live, const std::vector<agent::Collector>& collectors,
                               policy::PackSet packs, const std::string& waivers,
                               const std::vector<policy::Register>& registers) {
  std::optional<TableBlob> waivers_table;
  if (!waivers.empty()) {
    waivers_table = TableBlob{waivers, static_cast<std::int64_t>(policy::count_rows(waivers)),
                              sha256_hex(waivers)};
  }
  auto judge =
      agent::RunJudge::make(std::move(packs), collectors, std::move(waivers_table), registers);
  if (!judge) return std::move(judge).error();
  std::vector<RunContent> contents;
  for (const auto& run : live.runs) {
    RunContent content;
    content.collector = run.ran;
    content.tables = run.tables;
    contents.push_back(std::move(content));
  }
  agent::BlobSource source;
  source.read = [&](std::string_view digest) -> Result<std::string> {
    const auto it = live.blobs.find(std::string(digest));
    if (it == live.blobs.end()) return Error{Errc::not_found, "no such blob"};
    return it->second;
  };
  source.size = [&](std::string_view digest) -> Result<std::int64_t> {
    const auto it = live.blobs.find(std::string(digest));
    return it == live.blobs.end() ? 0 : static_cast<std::int64_t>(it->second.size());
  };
  LiveOutcomes result;
  for (std::size_t i = 0; i < live.runs.size(); ++i) {
    const auto& run = live.runs[i];
    agent::History history;  // Without a ledger: no run before, no baseline.
    for (std::size_t j = 0; j < live.runs.size(); ++j) {
      const auto& other = live.runs[j];
      if (j != i)
        history.others.push_back({other.collector->name, other.id, live.now * 1000, &contents[j]});
    }
    auto judged = judge->judge(*run.collector, run.ran, live.now, run.tables, history, source);
    if (!judged) return std::move(judged).error();
    auto outcomes = read_outcomes(judged->blobs.at(judged->content.outcomes.sha256));
    if (!outcomes) return std::move(outcomes).error();
    result.outcomes.insert(result.outcomes.end(), outcomes->begin(), outcomes->end());
    result.findings.merge(judged->blobs);
  }
  std::sort(result.outcomes.begin(), result.outcomes.end(),
            [](const Outcome& a, const Outcome& b) { return a.check < b.check; });
  return result;
}

}  // namespace vouch::cli
