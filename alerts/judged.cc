// SPDX-License-Identifier: Apache-2.0
#include "alerts/judged.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/json.h"

namespace vouch::alerts {
namespace {

// The rows of a table blob, which are lines.
std::vector<std::string> first_lines(std::string_view blob, std::size_t count) {
  std::vector<std::string> lines;
  while (!blob.empty() && lines.size() < count) {
    const auto end = blob.find('\n');
    lines.emplace_back(blob.substr(0, end));
    blob.remove_prefix(end == std::string_view::npos ? blob.size() : end + 1);
  }
  return lines;
}

Condition judged(const AlertContext& context, const std::string& collector, const Outcome& outcome,
                 const BlobReader& read) {
  const auto facts = context.find ? context.find(outcome.check) : std::nullopt;
  const bool fails = outcome.outcome == OutcomeKind::fail;
  Severity severity = facts ? facts->severity : Severity::medium;
  if (!fails) severity = std::min(severity, Severity::medium);
  Condition condition = make_condition(context, "check/" + outcome.check,
                                       fails ? kind::kControlDrift : kind::kNotJudged, severity,
                                       facts ? facts->title : outcome.check);
  condition.labels["check"] = outcome.check;
  condition.labels["control"] = outcome.control;
  condition.labels["collector"] = collector;
  if (facts && !facts->ref.empty()) condition.labels["ref"] = facts->ref;
  if (facts && !facts->owner.empty()) condition.labels["owner"] = facts->owner;
  if (facts) condition.remedy = facts->remedy;
  if (facts) condition.expected = facts->expected;
  const auto criteria = context.criteria.find(outcome.control);
  if (criteria != context.criteria.end()) condition.criterion = criteria->second;
  if (!fails) {
    condition.value = "could not be judged: " + outcome.message;
    return condition;
  }
  const std::int64_t rows = outcome.violations - outcome.waived;
  condition.magnitude = rows;
  condition.findings_total = outcome.violations;
  condition.value = fmt::format("{} {} it", rows, rows == 1 ? "row violates" : "rows violate");
  if (outcome.waived > 0) condition.value += fmt::format(", {} more are waived", outcome.waived);
  if (const auto blob = outcome.findings ? read(*outcome.findings) : Result<std::string>("")) {
    condition.findings = first_lines(*blob, kFindingsShownMax);
  }
  return condition;
}

// Members of a row of the table `drift`, as text.
std::string cell(const json::Value& row, std::string_view name) {
  const auto* value = row.find(name);
  if (value == nullptr || value->is_null()) return "";
  return value->if_string() ? *value->if_string() : json::write(*value);
}

std::string drift_text(const json::Value& row) {
  const std::string change = cell(row, "change");
  if (change != "changed") return change;
  return fmt::format("{}: {} -> {}", cell(row, "column"), cell(row, "before"), cell(row, "after"));
}

}  // namespace

Condition make_condition(const AlertContext& context, std::string key, std::string_view kind_name,
                         Severity severity, std::string title) {
  Condition condition;
  condition.key = std::move(key);
  condition.kind = kind_name;
  condition.severity = severity;
  condition.title = std::move(title);
  condition.labels = context.labels;
  return condition;
}

Report outcomes_report(const AlertContext& context, const std::string& collector,
                       const std::vector<Outcome>& outcomes, const BlobReader& read) {
  Report report{"outcomes/" + collector, {}};
  for (const Outcome& outcome : outcomes) {
    if (outcome.outcome != OutcomeKind::fail && outcome.outcome != OutcomeKind::error) continue;
    report.conditions.push_back(judged(context, collector, outcome, read));
  }
  return report;
}

Report drift_report(const AlertContext& context, const std::string& collector,
                    std::string_view drift) {
  Report report{"drift/" + collector, {}};
  std::map<std::string, Condition> by_key;
  while (!drift.empty()) {
    const auto end = drift.find('\n');
    const auto row = json::parse(drift.substr(0, end));
    drift.remove_prefix(end == std::string_view::npos ? drift.size() : end + 1);
    if (!row) continue;
    const std::string table = cell(*row, "table_name");
    const std::string key = table + " " + cell(*row, "key");
    auto [found, is_new] = by_key.try_emplace(key);
    Condition& condition = found->second;
    if (is_new) {
      condition =
          make_condition(context, "drift/" + key, kind::kConfigurationDrift, Severity::medium,
                         fmt::format("{} differs from its baseline", key));
      condition.labels["collector"] = collector;
      condition.labels["table"] = table;
      condition.remedy = "Undo the change, or approve it as the new baseline.";
    }
    condition.value += (condition.value.empty() ? "" : "; ") + drift_text(*row);
    condition.magnitude += 1;
  }
  for (auto& [key, condition] : by_key) report.conditions.push_back(std::move(condition));
  return report;
}

}  // namespace vouch::alerts
