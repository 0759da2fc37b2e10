// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/alert_sources.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/vouchd/attachments.h"
#include "policies/engine/describe.h"

namespace vouch::agent {
namespace {

using alerts::Condition;
using alerts::make_condition;
using alerts::Report;
using alerts::Severity;
namespace kind = alerts::kind;

constexpr WallMs kDayMs = 86'400'000;
constexpr std::int64_t kLateSeconds = 60;  // For the run itself to end.
constexpr int kSpoolStep = 10;             // Percent: each step is told.

}  // namespace

alerts::FindCheck find_in(const policy::PackSet& packs) {
  return [&packs](std::string_view check) -> std::optional<alerts::CheckFacts> {
    auto found = policy::describe_check(packs, check);
    if (!found) return std::nullopt;
    const auto severity = alerts::parse_severity(to_string(found->severity));
    return alerts::CheckFacts{severity.value_or(Severity::medium),
                              std::move(found->title),
                              std::move(found->control),
                              std::move(found->ref),
                              std::move(found->owner),
                              std::move(found->remediation),
                              std::move(found->expected)};
  };
}

Report failure_report(const AlertContext& context, const std::string& collector,
                      std::string_view reason, std::string_view message) {
  Report report{"collector/" + collector, {}};
  if (reason.empty()) return report;
  Condition condition =
      make_condition(context, report.source, kind::kCollectorFailure, Severity::high,
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
  Condition condition = make_condition(context, report.source, kind::kSilence, Severity::high,
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
  Condition condition = make_condition(context, "silence/delivery", kind::kSilence, Severity::high,
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
        make_condition(context, "waiver/" + waiver.id, kind::kWaiverExpiring, Severity::medium,
                       fmt::format("The waiver {} ends at {}", waiver.id, waiver.valid_until));
    condition.labels["check"] = waiver.check_id;
    if (!waiver.owner.empty()) condition.labels["owner"] = waiver.owner;
    const auto check = context.find ? context.find(waiver.check_id) : std::nullopt;
    if (check) condition.labels["control"] = check->control;
    condition.value = fmt::format("{} ({})", waiver.check_id, waiver.reason);
    condition.remedy = "Mend what it covers, or have it renewed; then it fails again.";
    condition.from = (*until - before_s) * 1000;
    report.conditions.push_back(std::move(condition));
  }
  return report;
}

Report document_report(const AlertContext& context, const Attachment& document) {
  Report report{"document/" + document.file, {}};
  const auto due = due_of(document);
  if (!due) return report;
  Condition condition =
      make_condition(context, report.source, kind::kDocumentOverdue, Severity::medium,
                     fmt::format("{} is overdue", document.title));
  condition.value = fmt::format("{} was due at {}", document.file, format_second(*due));
  if (!document.controls.empty()) condition.labels["control"] = document.controls.front();
  condition.labels["owner"] = document.by;
  condition.remedy = fmt::format("`vouch attachment add {}`, once it is renewed", document.file);
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
  Condition condition = make_condition(context, "spool", kind::kSpoolPressure,
                                       full ? Severity::critical : Severity::high,
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
        make_condition(context, fmt::format("refused/{}", each.seq), kind::kRefused, Severity::high,
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
    Condition condition = make_condition(context, "log/alarm", kind::kLogAlarm, Severity::critical,
                                         "The store's log contradicts itself");
    condition.value = "two checkpoints by its key cannot both be true; nothing is deleted any more";
    condition.remedy = "Keep both checkpoints: they convict the log. Ask who runs the store.";
    report.conditions.push_back(std::move(condition));
  }
  if (forked) {
    Condition condition = make_condition(context, "log/fork", kind::kLogAlarm, Severity::critical,
                                         "This agent's chain is forked");
    condition.value = "the log holds another bundle at one of our numbers; nothing is sealed";
    condition.remedy = "Find the copy (a cloned machine, a restored snapshot), then enrol again.";
    report.conditions.push_back(std::move(condition));
  }
  return report;
}

Report rollback_report(const AlertContext& context, const StoreRollback& rollback) {
  Report report{fmt::format("rollback/{}/{}", rollback.origin, rollback.expected_seq), {}};
  Condition condition =
      make_condition(context, report.source, kind::kStoreRollback, Severity::critical,
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
  Condition condition = make_condition(context, report.source, kind::kSpoolDrop, Severity::critical,
                                       "Evidence is lost");
  condition.value = fmt::format("{} blobs of bundles {} to {}: {}", drop.sha256.size(),
                                drop.first_seq, drop.last_seq, drop.reason);
  condition.until = drop.at + kDayMs;
  report.conditions.push_back(std::move(condition));
  return report;
}

}  // namespace vouch::agent
