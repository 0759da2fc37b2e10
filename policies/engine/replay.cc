// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/replay.h"

#include <fmt/format.h>

#include <deque>
#include <map>

#include "core/clock.h"
#include "core/digest.h"
#include "policies/engine/evaluate.h"
#include "proto/outcomes.h"

namespace vouch::policy {
namespace {

using verify::ReplayInput;
using verify::ReplayResult;

ReplayResult not_replayable(std::string detail) {
  ReplayResult result;
  result.detail = std::move(detail);
  return result;
}

// An input for evaluate(), whose bytes `bytes` keeps.
Status read_tables(const std::vector<TableRef>& refs, const BlobReader& blobs,
                   std::deque<std::string>& bytes, std::vector<TableInput>& list) {
  for (const auto& ref : refs) {
    TableInput input;
    input.name = ref.name;
    input.run = ref.run.value_or("");
    if (ref.error) {
      input.error = ref.error->code;
    } else {
      input.digest = ref.sha256;
      // The empty blob is never shipped.
      auto blob =
          ref.sha256 == kEmptyDigestHex ? Result<std::string>(std::string()) : blobs(ref.sha256);
      if (!blob) return std::move(blob).error().in(fmt::format("table {}", ref.name));
      bytes.push_back(*std::move(blob));
      input.blob = bytes.back();
    }
    list.push_back(std::move(input));
  }
  return Ok{};
}

std::string describe(const Outcome& outcome) {
  return fmt::format("{} ({} violations, {} waived{}{})", to_string(outcome.outcome),
                     outcome.violations, outcome.waived, outcome.message.empty() ? "" : ", ",
                     outcome.message);
}

// The first check on which the two tables differ.
std::string first_difference(const Evaluation& ours, const Result<std::string>& recorded) {
  if (!recorded) return "the outcomes on record are withheld";
  auto theirs = read_outcomes(*recorded);
  if (!theirs) return "the outcomes on record are no outcomes table: " + theirs.error().message;
  std::map<std::string, std::pair<const Outcome*, const Outcome*>> by_check;
  for (const auto& outcome : ours.outcomes) by_check[outcome.check].first = &outcome;
  for (const auto& outcome : *theirs) by_check[outcome.check].second = &outcome;
  for (const auto& [check, pair] : by_check) {
    const auto& [mine, recorded_one] = pair;
    if (mine == nullptr) return fmt::format("check {}: on record, but not to be judged", check);
    if (recorded_one == nullptr) return fmt::format("check {}: not on record", check);
    if (*mine != *recorded_one) {
      return fmt::format("check {}: recorded {}, recomputed {}", check, describe(*recorded_one),
                         describe(*mine));
    }
  }
  return "the outcomes are equal, their bytes are not";
}

class EngineReplayer final : public verify::Replayer {
 public:
  explicit EngineReplayer(PolicySets& sets) : sets_(sets) {}

  Result<ReplayResult> replay(const ReplayInput& input, const BlobReader& blobs) override {
    const auto& content = *input.content;
    const auto packs = sets_.load(content.policy, blobs);
    if (!packs) return of_evidence(content, packs.error());
    const auto& run = input.observation->run;
    EvaluationRequest request;
    request.collector = run.substr(0, run.find('/'));
    request.now = format_second(input.observation->now);
    std::deque<std::string> bytes;
    auto read = read_tables(content.tables, blobs, bytes, request.tables);
    if (read) read = read_tables(content.inputs, blobs, bytes, request.inputs);
    if (!read) return of_evidence(content, std::move(read).error());
    auto evaluation = evaluate(**packs, request, &memo_);
    if (!evaluation) return of_evidence(content, std::move(evaluation).error());

    ReplayResult result;
    result.outcomes = evaluation->outcomes_table.sha256;
    result.kind = ReplayResult::Kind::same;
    if (result.outcomes == content.outcomes.sha256) return result;
    return difference(content, first_difference(*evaluation, blobs(content.outcomes.sha256)),
                      std::move(result.outcomes));
  }

 private:
  static ReplayResult difference(const RunContent& content, std::string detail,
                                 std::string outcomes = "") {
    if (content.engine == engine_string()) {
      return {ReplayResult::Kind::different, std::move(outcomes), std::move(detail)};
    }
    return {ReplayResult::Kind::engine_differs, std::move(outcomes),
            fmt::format("{} (recorded under {})", detail, content.engine)};
  }

  // Evidence that cannot be had is not replayable; evidence that is not of its form is a record
  // that this engine would never have made.
  static ReplayResult of_evidence(const RunContent& content, Error error) {
    if (error.code == Errc::not_found) return not_replayable(std::move(error.message));
    return difference(content, std::move(error.message));
  }

  PolicySets& sets_;
  Memo memo_;
};

}  // namespace

std::unique_ptr<verify::Replayer> make_replayer(PolicySets& sets) {
  return std::make_unique<EngineReplayer>(sets);
}

}  // namespace vouch::policy
