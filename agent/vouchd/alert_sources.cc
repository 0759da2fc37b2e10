// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/alert_sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/file.h"
#include "core/json.h"
#include "policies/engine/framework.h"

namespace vouch::agent {
namespace {

using alerts::Condition;
using alerts::Report;
using alerts::Severity;
namespace kind = alerts::kind;

constexpr std::size_t kMappingBytesMax = 4u << 20;
constexpr std::size_t kMappingFilesMax = 100;
constexpr WallMs kDayMs = 86'400'000;
constexpr std::int64_t kLateSeconds = 60;  // For the run itself to end.
constexpr int kSpoolStep = 10;             // Percent: each step is told.

Condition make(const AlertContext& context, std::string key, std::string_view kind_name,
               Severity severity, std::string title) {
  Condition condition;
  condition.key = std::move(key);
  condition.kind = kind_name;
  condition.severity = severity;
  condition.title = std::move(title);
  condition.labels = context.labels;
  return condition;
}

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
  Condition condition =
      make(context, "check/" + outcome.check, fails ? kind::kControlDrift : kind::kNotJudged,
           severity, check == nullptr ? outcome.check : check->title);
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
    condition.findings = first_lines(*blob, alerts::kFindingsShownMax);
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
      condition = make(context, "drift/" + key, kind::kConfigurationDrift, Severity::medium,
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

Report failure_report(const AlertContext& context, const std::string& collector,
                      std::string_view reason, std::string_view message) {
  Report report{"collector/" + collector, {}};
  if (reason.empty()) return report;
  Condition condition = make(context, report.source, kind::kCollectorFailure, Severity::high,
                             fmt::format("The collector {} fails", collector));
  condition.labels["collector"] = collector;
  condition.value = fmt::format("{}: {}", reason, message);
  condition.remedy = fmt::format("`vouch collect {}` runs it by hand", collector);
  report.conditions.push_back(std::move(condition));
  return report;
}

Report silence_report(const AlertContext& context, const ScheduleEntry& entry, WallMs observed,
                      std::int64_t intervals) {
  Report report{"silence/" + entry.collector, {}};
  Condition condition = make(context, report.source, kind::kSilence, Severity::high,
                             fmt::format("The collector {} is silent", entry.collector));
  condition.labels["collector"] = entry.collector;
  condition.value = "last observed at " + format_second(observed / 1000);
  condition.remedy = "`vouch status` says whether it runs, and `journalctl -u vouchd` why not";
  condition.from =
      observed + (intervals * entry.interval_s + entry.deadline_s + kLateSeconds) * 1000;
  report.conditions.push_back(std::move(condition));
  return report;
}

Report undelivered_report(const AlertContext& context, WallMs oldest_sealed, std::int64_t after_s) {
  Report report{"delivery", {}};
  if (oldest_sealed == 0) return report;
  Condition condition = make(context, "silence/delivery", kind::kSilence, Severity::high,
                             "Evidence does not reach the store");
  condition.value =
      "nothing sealed since " + format_second(oldest_sealed / 1000) + " has a receipt";
  condition.remedy = "`systemctl status vouch-ship` and its journal say why";
  condition.from = oldest_sealed + after_s * 1000;
  report.conditions.push_back(std::move(condition));
  return report;
}

Report waivers_report(const AlertContext& context, const std::vector<policy::Waiver>& waivers,
                      std::int64_t before_s) {
  Report report{"waivers", {}};
  for (const policy::Waiver& waiver : waivers) {
    const auto until = parse_second(waiver.valid_until);
    if (!until) continue;  // A waiver without an end is not loaded.
    Condition condition =
        make(context, "waiver/" + waiver.id, kind::kWaiverExpiring, Severity::medium,
             fmt::format("The waiver {} ends at {}", waiver.id, waiver.valid_until));
    condition.labels["check"] = waiver.check_id;
    if (!waiver.owner.empty()) condition.labels["owner"] = waiver.owner;
    const policy::Check* check =
        context.packs == nullptr ? nullptr : context.packs->find_check(waiver.check_id);
    if (check != nullptr) condition.labels["control"] = check->control;
    condition.value = fmt::format("{} ({})", waiver.check_id, waiver.reason);
    condition.remedy = "Mend what it covers, or have it renewed; then it fails again.";
    condition.from = (*until - before_s) * 1000;
    report.conditions.push_back(std::move(condition));
  }
  return report;
}

Report document_report(const AlertContext& context, const Attachment& document) {
  Report report{"document/" + document.file, {}};
  std::optional<WallSeconds> due = document.expires;
  if (document.cadence_days) {
    const WallSeconds by_cadence = document.effective + *document.cadence_days * 86400;
    due = due ? std::min(*due, by_cadence) : by_cadence;
  }
  if (!due) return report;
  Condition condition = make(context, report.source, kind::kDocumentOverdue, Severity::medium,
                             fmt::format("{} is overdue", document.title));
  condition.value = fmt::format("{} was due at {}", document.file, format_second(*due));
  if (!document.controls.empty()) condition.labels["control"] = document.controls.front();
  condition.labels["owner"] = document.by;
  condition.remedy = "Attach the document anew.";
  condition.from = *due * 1000;
  report.conditions.push_back(std::move(condition));
  return report;
}

Report spool_report(const AlertContext& context, std::int64_t bytes, std::int64_t bytes_max,
                    std::int64_t percent) {
  Report report{"spool", {}};
  const std::int64_t level =
      bytes_max <= 0 ? 0 : std::min<std::int64_t>(bytes * 100 / bytes_max, 100);
  if (level < percent) return report;
  const bool full = level >= 100;
  Condition condition =
      make(context, "spool", kind::kSpoolPressure, full ? Severity::critical : Severity::high,
           full ? "The spool is full: collecting has stopped"
                : "The spool of undelivered evidence fills up");
  // In steps, so that it is not stored anew with every bundle.
  const std::int64_t step = full ? 100 : std::max(level / kSpoolStep * kSpoolStep, percent);
  condition.value = fmt::format("{} % of spool_max or more", step);
  condition.magnitude = step;
  condition.remedy = "See why nothing is delivered: `systemctl status vouch-ship`";
  report.conditions.push_back(std::move(condition));
  return report;
}

Report refused_report(const AlertContext& context, const std::vector<Refusal>& refusals) {
  Report report{"refused", {}};
  for (const Refusal& each : refusals) {
    Condition condition =
        make(context, fmt::format("refused/{}", each.seq), kind::kRefused, Severity::high,
             fmt::format("The store refuses bundle {}", each.seq));
    condition.value = fmt::format("{} {}", each.status, each.problem);
    condition.remedy = "It is kept and sent again; the store's log says what it objects to.";
    report.conditions.push_back(std::move(condition));
  }
  return report;
}

Report log_report(const AlertContext& context, bool log_alarm, bool forked) {
  Report report{"log", {}};
  if (log_alarm) {
    Condition condition = make(context, "log/alarm", kind::kLogAlarm, Severity::critical,
                               "The store's log contradicts itself");
    condition.value = "two checkpoints by its key cannot both be true; nothing is deleted any more";
    condition.remedy = "Keep both checkpoints: they convict the log. Ask who runs the store.";
    report.conditions.push_back(std::move(condition));
  }
  if (forked) {
    Condition condition = make(context, "log/fork", kind::kLogAlarm, Severity::critical,
                               "This agent's chain is forked");
    condition.value = "the log holds another bundle at one of our numbers; nothing is sealed";
    condition.remedy = "Find the copy (a cloned machine, a restored snapshot), then enrol again.";
    report.conditions.push_back(std::move(condition));
  }
  return report;
}

Report rollback_report(const AlertContext& context, const StoreRollback& rollback) {
  Report report{fmt::format("rollback/{}/{}", rollback.origin, rollback.expected_seq), {}};
  Condition condition = make(context, report.source, kind::kStoreRollback, Severity::critical,
                             "The store has lost bundles that it had acknowledged");
  condition.value = fmt::format("it expects {}, and had acknowledged {}", rollback.expected_seq,
                                rollback.acked_seq);
  condition.remedy = "It is refilled from what is kept; ask who runs the store what was restored.";
  condition.until = rollback.at + kDayMs;
  report.conditions.push_back(std::move(condition));
  return report;
}

Report drop_report(const AlertContext& context, const SpoolDrop& drop) {
  Report report{fmt::format("drop/{}/{}", drop.first_seq, drop.last_seq), {}};
  Condition condition =
      make(context, report.source, kind::kSpoolDrop, Severity::critical, "Evidence is lost");
  condition.value = fmt::format("{} blobs of bundles {} to {}: {}", drop.sha256.size(),
                                drop.first_seq, drop.last_seq, drop.reason);
  condition.until = drop.at + kDayMs;
  report.conditions.push_back(std::move(condition));
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

}  // namespace vouch::agent
