// SPDX-License-Identifier: Apache-2.0
// Steps 9 and 10 for one bundle: its blobs, the arithmetic of its outcomes, approvals and replay.
#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/digest.h"
#include "proto/verify/chain_walk.h"

namespace vouch::verify {
namespace {

constexpr std::string_view kWaivers = "waivers";
constexpr std::string_view kBaselinePrefix = "baseline_";

}  // namespace

// Whether a missing blob is accounted for.
bool ChainWalk::is_excused(std::string_view sha256) {
  if (context_.withheld_allowed || context_.purged.contains(sha256)) return true;
  const auto drop = dropped_.find(seq_);
  if (drop == dropped_.end()) return false;
  return drop->second.empty() || drop->second.contains(sha256);
}

// Counts a missing blob, once.
void ChainWalk::note_missing(std::string_view sha256) {
  if (!context_.missing.emplace(sha256).second) return;
  auto& counts = context_.verdict.counts;
  if (context_.purged.contains(sha256)) {
    ++counts.purged;
  } else if (context_.withheld_allowed) {
    ++counts.withheld;
  } else {
    ++counts.dropped;
  }
}

std::optional<Failure> ChainWalk::check_blobs(const Statement& statement) {
  for (const auto& subject : statement.subject) {
    const auto state = context_.blobs.state(subject.sha256);
    if (state) {
      if (context_.purged.contains(subject.sha256) &&
          context_.missing.emplace(subject.sha256).second) {
        anomaly(fmt::format("purge: {} ({}) is still there", subject.sha256, subject.name));
      }
      continue;
    }
    if (state.error().code != Errc::not_found) {
      return fail("blob", fmt::format("{}: {}", subject.sha256, state.error().message));
    }
    if (!is_excused(subject.sha256)) {
      return fail("missing-blob", fmt::format("{} ({})", subject.sha256, subject.name));
    }
    note_missing(subject.sha256);
  }
  bool complete = true;
  const auto read = [&](std::string_view sha256) { return context_.blobs.read(sha256); };
  const auto subjects = check_subjects(statement, read, complete);
  if (!subjects) return fail("subject", subjects.error().message);
  return std::nullopt;
}

// Rows of the tables that a run names, and its outcomes.
std::optional<Failure> ChainWalk::check_content(const RunContent& content) {
  for (const auto* tables : {&content.tables, &content.inputs}) {
    for (const auto& table : *tables) {
      if (table.error) continue;
      const auto rows = context_.blobs.rows(table.sha256);
      if (!rows && rows.error().code == Errc::not_found) continue;  // Excused in check_blobs().
      if (!rows) return fail("table", fmt::format("{}: {}", table.name, rows.error().message));
      if (*rows != table.rows) {
        return fail("rows", fmt::format("{} has {} rows, the record says {}", table.name, *rows,
                                        table.rows));
      }
    }
  }
  return check_outcomes(content);
}

std::optional<Failure> ChainWalk::check_outcomes(const RunContent& content) {
  const auto outcomes = context_.blobs.outcomes(content.outcomes.sha256);
  if (!outcomes && outcomes.error().code == Errc::not_found) return std::nullopt;
  if (!outcomes) return fail("outcomes", outcomes.error().message);
  if (static_cast<std::int64_t>((*outcomes)->size()) != content.outcomes.rows) {
    return fail("outcomes", "the record says another number of outcomes");
  }
  for (const auto& outcome : **outcomes) {
    if (!outcome.findings) continue;
    const auto rows = context_.blobs.rows(*outcome.findings);
    if (!rows && rows.error().code == Errc::not_found) continue;
    if (!rows) return fail("findings", fmt::format("{}: {}", outcome.check, rows.error().message));
    if (*rows != outcome.violations) {
      return fail("findings", fmt::format("{}: {} rows, the outcome says {}", outcome.check, *rows,
                                          outcome.violations));
    }
  }
  return std::nullopt;
}

// Counts the baselines and waiver sets in force, each once per agent. Returns whether the waivers
// that acted, if any did, are approved.
bool ChainWalk::count_approvals(const RunContent& content) {
  bool waivers_approved = true;
  for (const auto& input : content.inputs) {
    const bool waivers = input.name == kWaivers;
    if (input.error || input.sha256 == kEmptyDigestHex) continue;
    if (!waivers && !input.name.starts_with(kBaselinePrefix)) continue;
    const bool approved = context_.approved.contains({input.sha256, host_.agent}) ||
                          context_.approved.contains({input.sha256, ""});
    if (waivers && !approved) waivers_approved = false;  // There may be those of several runs.
    if (!context_.judged_changes.emplace(input.sha256, host_.agent).second) continue;
    auto& counts = context_.verdict.counts;
    ++(approved ? counts.approved : counts.claimed);
  }
  return waivers_approved;
}

std::optional<Failure> ChainWalk::check_run(const Statement& statement,
                                            const Observation& observation) {
  const auto* content = resolve(statement.bundle, observation);
  if (content == nullptr) {
    ++context_.verdict.replays.not_replayable;  // Selective: its content is in another bundle.
    return std::nullopt;
  }
  if (std::holds_alternative<RunContent>(observation.content)) {
    if (auto failure = check_content(*content)) return failure;
  }
  return replay(statement, observation, *content);
}

// Counts and hands on the runs of a bundle that holds, by the time of their judgement.
void ChainWalk::count_runs(const Bundle& bundle, const std::vector<ScheduleEntry>* schedule) {
  auto* sink = schedule == nullptr ? nullptr : context_.options.sink;
  if (sink != nullptr) {
    sink->take_bundle({host_.agent, coverage_.owed_from(timeline_.enrolled_at), bundle, *schedule});
  }
  std::vector<std::pair<WallMs, const Observation*>> runs;
  for (const auto& record : bundle.records) {
    const auto* run = std::get_if<Observation>(&record);
    if (run != nullptr) {
      runs.emplace_back(std::clamp(run->finished, bundle.period_from, bundle.period_to), run);
    }
  }
  std::ranges::stable_sort(runs, {}, [](const auto& run) { return run.first; });
  const auto& period = context_.options.period;
  const auto read = [&](std::string_view sha256) { return context_.blobs.read(sha256); };
  for (const auto& [at, run] : runs) {
    const auto* content = resolve(bundle, *run);
    if (content == nullptr) continue;  // Selective.
    const bool waivers_approved = count_approvals(*content);
    const auto outcomes = context_.blobs.outcomes(content->outcomes.sha256);
    if (outcomes && (!period || period->holds(at))) {
      count_judgements(**outcomes, waivers_approved, host_.controls);
    }
    if (sink == nullptr) continue;
    sink->take_run({host_.agent, at, *run, *content, outcomes ? *outcomes : nullptr}, read);
  }
}

std::optional<Failure> ChainWalk::replay(const Statement& statement, const Observation& observation,
                                         const RunContent& content) {
  if (context_.options.replayer == nullptr) return std::nullopt;
  const auto read = [&](std::string_view sha256) { return context_.blobs.read(sha256); };
  const auto result = context_.options.replayer->replay({&statement, &observation, &content}, read);
  if (!result)
    return fail("replay", fmt::format("{}: {}", observation.run, result.error().message));
  auto& replays = context_.verdict.replays;
  switch (result->kind) {
    case ReplayResult::Kind::same:
      ++replays.same;
      break;
    case ReplayResult::Kind::not_replayable:
      ++replays.not_replayable;
      break;
    case ReplayResult::Kind::engine_differs:
      ++replays.engine_differs;
      anomaly(fmt::format("ENGINE-DIFFERS {}: {}", observation.run, result->detail));
      break;
    case ReplayResult::Kind::different:
      ++replays.different;
      return fail("replay", fmt::format("{}: {}", observation.run, result->detail));
  }
  return std::nullopt;
}

}  // namespace vouch::verify
