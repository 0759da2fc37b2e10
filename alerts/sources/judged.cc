// SPDX-License-Identifier: Apache-2.0
#include "alerts/sources/judged.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/file.h"
#include "core/json.h"
#include "policies/engine/framework.h"

namespace vouch::alerts {
namespace {

constexpr std::size_t kMappingBytesMax = 4u << 20;
constexpr std::size_t kMappingFilesMax = 100;

Severity severity_of(const policy::Check* check) {
  if (check == nullptr) return Severity::medium;
  switch (check->severity) {
    case policy::Severity::low:
      return Severity::low;
    case policy::Severity::medium:
      return Severity::medium;
    case policy::Severity::high:
      return Severity::high;
    case policy::Severity::critical:
      return Severity::critical;
  }
  return Severity::medium;
}

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

std::string expected_of(const policy::Check& check) {
  std::string params;
  for (const auto& [name, value] : check.params) {
    params += fmt::format("{}{} = {}", params.empty() ? "" : ", ", name,
                          value.if_string() ? *value.if_string() : json::write(value));
  }
  return params.empty() ? "" : fmt::format("{} ({})", check.title, params);
}

Condition judged(const AlertContext& context, const std::string& collector, const Outcome& outcome,
                 const BlobReader& read) {
  const policy::Check* check =
      context.packs == nullptr ? nullptr : context.packs->find_check(outcome.check);
  const policy::Control* control =
      context.packs == nullptr ? nullptr : context.packs->find_control(outcome.control);
  const bool fails = outcome.outcome == OutcomeKind::fail;
  Severity severity = severity_of(check);
  if (!fails) severity = std::min(severity, Severity::medium);
  Condition condition = make_condition(context, "check/" + outcome.check,
                                       fails ? kind::kControlDrift : kind::kNotJudged, severity,
                                       check == nullptr ? outcome.check : check->title);
  condition.labels["check"] = outcome.check;
  condition.labels["control"] = outcome.control;
  condition.labels["collector"] = collector;
  if (check != nullptr && !check->ref.empty()) condition.labels["ref"] = check->ref;
  if (control != nullptr && !control->owner.empty()) condition.labels["owner"] = control->owner;
  if (check != nullptr) condition.remedy = check->remediation;
  if (check != nullptr) condition.expected = expected_of(*check);
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

Result<std::map<std::string, std::string, std::less<>>> read_criteria(
    const std::vector<std::string>& files) {
  std::vector<std::string> paths;
  for (const std::string& file : files) {
    std::error_code error;
    if (!std::filesystem::is_directory(file, error)) {
      paths.push_back(file);
      continue;
    }
    auto names = list_directory(file, kMappingFilesMax);
    if (!names) return std::move(names).error();
    for (const std::string& name : *names) {
      if (name.ends_with(".yaml")) paths.push_back(file + "/" + name);
    }
  }
  std::map<std::string, std::string, std::less<>> criteria;
  for (const std::string& path : paths) {
    auto text = read_file(path, kMappingBytesMax);
    if (!text) return std::move(text).error();
    auto mapping = policy::load_mapping(*text, path);
    if (!mapping) return std::move(mapping).error();
    std::map<std::string, std::string> of_this;
    for (const auto& entry : mapping->entries) {
      if (entry.criterion.empty()) continue;
      std::string& list = of_this[entry.control];
      list += (list.empty() ? mapping->framework + " " : ", ") + entry.criterion;
    }
    for (const auto& [control, list] : of_this) {
      std::string& all = criteria[control];
      all += (all.empty() ? "" : "; ") + list;
    }
  }
  return criteria;
}

}  // namespace vouch::alerts
