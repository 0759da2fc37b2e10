// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/evaluate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

#include "core/clock.h"
#include "core/digest.h"
#include "policies/engine/judge.h"
#include "policies/engine/waiver.h"

namespace vouch::policy {

namespace {

const TableInput* find_input(const std::vector<TableInput>& inputs, std::string_view name) {
  for (const auto& input : inputs) {
    if (input.name == name) return &input;
  }
  return nullptr;
}

// What the violating rows come to once the waivers in force have covered theirs.
Result<Outcome> settle(const Check& check, const Judgement& judgement,
                       const std::vector<Waiver>& waivers, std::string_view now) {
  Outcome outcome;
  outcome.check = check.id;
  outcome.control = check.control;
  outcome.outcome = judgement.kind;
  outcome.message = judgement.message;
  if (judgement.kind != OutcomeKind::pass && judgement.kind != OutcomeKind::fail) return outcome;
  outcome.findings = judgement.findings_digest;
  outcome.violations = judgement.violations;
  std::vector<const Waiver*> in_scope;
  for (const auto& waiver : waivers) {
    if (waiver.check_id == check.id && in_force(waiver, now)) in_scope.push_back(&waiver);
  }
  if (in_scope.empty() || judgement.violations == 0) return outcome;
  std::set<std::string> used;
  auto read = for_each_row(judgement.findings, [&](const json::Value& row) -> Status {
    bool covered = false;
    for (const auto* waiver : in_scope) {
      if (!covers(*waiver, *row.if_object())) continue;
      covered = true;
      used.insert(waiver->id);
    }
    outcome.waived += covered ? 1 : 0;
    return Ok{};
  });
  if (!read) return std::move(read).error();
  if (outcome.waived == outcome.violations) outcome.outcome = OutcomeKind::waived;
  outcome.waiver_ids = {used.begin(), used.end()};
  return outcome;
}

Result<std::vector<Waiver>> waivers_of(const EvaluationRequest& request) {
  const auto* input = find_input(request.inputs, "waivers");
  if (input == nullptr || !input->error.empty()) return std::vector<Waiver>{};
  return read_waivers(input->blob);
}

}  // namespace

Result<Evaluation> evaluate(const PackSet& packs, const EvaluationRequest& request, Memo* memo) {
  if (!parse_second(request.now)) return Error{Errc::invalid, "evaluate: now is no second"};
  const auto* columns = find_input(request.inputs, "columns");
  if (columns == nullptr || !columns->error.empty()) {
    return Error{Errc::invalid, "evaluate: there is no input table columns"};
  }
  auto schemas = read_columns_blob(columns->blob);
  if (!schemas) return std::move(schemas).error();
  auto waivers = waivers_of(request);
  if (!waivers) return std::move(waivers).error();
  auto judge = Judge::make(request, *schemas, columns->digest);
  if (!judge) return std::move(judge).error();

  Evaluation evaluation;
  Memo::Judgements used;
  auto* known = memo == nullptr ? nullptr : &memo->of(request.collector);
  for (const auto* check : packs.checks()) {
    if (find_input(request.tables, check->tables.front()) == nullptr) continue;
    std::string key;
    Judgement judgement;
    if (known != nullptr) key = judge->memo_key(*check);
    auto remembered = known == nullptr ? Memo::Judgements::node_type() : known->extract(key);
    if (remembered) {
      judgement = std::move(remembered.mapped());
    } else {
      auto made = judge->judge(*check);
      if (!made) return std::move(made).error().in("check " + check->id);
      judgement = *std::move(made);
    }
    if (memo != nullptr) memo->count(!remembered.empty());
    auto outcome = settle(*check, judgement, *waivers, request.now);
    if (!outcome) return std::move(outcome).error().in("check " + check->id);
    if (outcome->findings) evaluation.findings.emplace(*outcome->findings, judgement.findings);
    evaluation.outcomes.push_back(*std::move(outcome));
    if (memo != nullptr) used.emplace(std::move(key), std::move(judgement));
  }
  if (memo != nullptr) *known = std::move(used);
  auto table = write_outcomes(evaluation.outcomes);
  if (!table) return std::move(table).error().in("outcomes");
  evaluation.outcomes_table = *std::move(table);
  return evaluation;
}

}  // namespace vouch::policy
