// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/alerting.h"

#include <algorithm>
#include <array>
#include <set>

#include "core/log.h"
#include "policies/engine/describe.h"
#include "proto/names.h"

namespace vouch::agent {
namespace {

// The sources that each collector has.
constexpr std::array<std::string_view, 4> kCollectorSources{"outcomes/", "drift/", "collector/",
                                                            "silence/"};

const TableRef* find_input(const RunContent& content, std::string_view name) {
  for (const TableRef& input : content.inputs) {
    if (input.name == name && !input.error) return &input;
  }
  return nullptr;
}

}  // namespace

Result<std::unique_ptr<Alerting>> Alerting::open(State& state, const Clock& clock,
                                                 const policy::PackSet& packs,
                                                 AlertingOptions options) {
  auto rules = alerts::parse_rules(options.rules_text, options.rules_file);
  if (!rules) return std::move(rules).error();
  auto criteria = policy::read_criteria(rules->mappings);
  if (!criteria) return std::move(criteria).error().in(options.rules_file + ": mappings");
  AlertContext context;
  context.labels = rules->labels;
  context.labels["host"] = options.host;
  context.criteria = *std::move(criteria);
  context.find = find_in(packs);
  const auto transaction = [&state, &clock](const std::function<Status()>& body) {
    return state.ledger.transaction(clock.wall_ms(), body);
  };
  auto desk = alerts::Desk::open(state.ledger.database(), transaction, clock, *std::move(rules),
                                 {state.identity.agent, options.host},
                                 {options.outbox, options.receipts_dir, options.ship_uid});
  if (!desk) return std::move(desk).error();
  auto alerting = std::make_unique<Alerting>(state, *std::move(desk), std::move(options));
  alerting->context_ = std::move(context);
  return alerting;
}

Status Alerting::refresh() {
  auto anew = desk_.refresh();
  if (!anew) return std::move(anew).error();
  if (*anew) seen_.clear();
  return Ok{};
}

Status Alerting::start() {
  if (auto fresh = refresh(); !fresh) return fresh;
  std::set<std::string> configured;
  for (const ScheduleEntry& entry : options_.schedule) {
    for (const auto source : kCollectorSources) {
      configured.insert(std::string(source) + entry.collector);
    }
  }
  std::vector<alerts::Report> reports;
  for (const auto& condition : desk_.memory().conditions) {
    const std::string& source = condition.second.source;
    const bool of_collector =
        std::any_of(kCollectorSources.begin(), kCollectorSources.end(),
                    [&](std::string_view prefix) { return source.starts_with(prefix); });
    if (of_collector && !configured.contains(source)) reports.push_back({source, {}});
  }
  reports.push_back(waivers_report(context_, options_.waivers, desk_.rules().waiver_s));
  if (auto stepped = desk_.step(reports); !stepped) return stepped;
  return desk_.sweep();
}

void Alerting::add_observation(const Observation& observation,
                               std::vector<alerts::Report>& reports) {
  const auto id = parse_run_id(observation.run);
  const auto* content = std::get_if<RunContent>(&observation.content);
  if (!id) return;
  const std::string& collector = id->collector;
  reports.push_back(failure_report(context_, collector, "", ""));
  for (const ScheduleEntry& entry : options_.schedule) {
    if (entry.collector != collector) continue;
    reports.push_back(
        silence_report(context_, entry, observation.finished, desk_.rules().silence_intervals));
  }
  if (content == nullptr) return;
  const TableRef* drift = find_input(*content, "drift");
  const std::string digest = content->outcomes.sha256 + (drift ? drift->sha256 : "");
  std::string& seen = seen_[collector];
  if (seen == digest) return;
  const auto read = [this](std::string_view sha256) { return state_.blobs.get(sha256); };
  const auto blob = read(content->outcomes.sha256);
  const auto outcomes = blob ? read_outcomes(*blob) : Result<std::vector<Outcome>>(blob.error());
  if (!outcomes) {
    return log::error("alerts: outcomes of " + observation.run + ": " + outcomes.error().message);
  }
  seen = digest;
  reports.push_back(alerts::outcomes_report(context_, collector, *outcomes, read));
  const auto rows = drift != nullptr ? read(drift->sha256) : Result<std::string>("");
  if (rows) reports.push_back(alerts::drift_report(context_, collector, *rows));
}

std::vector<alerts::Report> Alerting::reports_of(const Record& record) {
  std::vector<alerts::Report> reports;
  if (const auto* observation = std::get_if<Observation>(&record)) {
    add_observation(*observation, reports);
  } else if (const auto* failed = std::get_if<RunFailed>(&record)) {
    const auto id = parse_run_id(failed->run);
    if (id) {
      reports.push_back(failure_report(context_, id->collector, failed->reason, failed->message));
    }
  } else if (const auto* suppressed = std::get_if<RunSuppressed>(&record)) {
    // Who suppresses it says until when it may be silent.
    for (const ScheduleEntry& entry : options_.schedule) {
      if (entry.collector != suppressed->collector) continue;
      reports.push_back(silence_report(context_, entry,
                                       std::max(suppressed->at, suppressed->until * 1000),
                                       desk_.rules().silence_intervals));
    }
  } else if (const auto* document = std::get_if<Attachment>(&record)) {
    reports.push_back(document_report(context_, *document));
  } else if (const auto* rollback = std::get_if<StoreRollback>(&record)) {
    reports.push_back(rollback_report(context_, *rollback));
  } else if (const auto* drop = std::get_if<SpoolDrop>(&record)) {
    reports.push_back(drop_report(context_, *drop));
  }
  return reports;
}

Status Alerting::on_record(const Record& record) {
  if (auto fresh = refresh(); !fresh) return fresh;
  const auto reports = reports_of(record);
  if (reports.empty()) return Ok{};
  return desk_.report(reports);
}

Result<std::vector<alerts::Report>> Alerting::reports_of_ledger() {
  std::vector<alerts::Report> reports;
  auto bytes = state_.bundles.spool_bytes();
  if (!bytes) return std::move(bytes).error();
  reports.push_back(
      spool_report(context_, *bytes, options_.spool_bytes_max, desk_.rules().spool_percent));
  auto oldest = state_.bundles.oldest_waiting();
  if (!oldest) return std::move(oldest).error();
  reports.push_back(undelivered_report(context_, oldest->value_or(0), desk_.rules().undelivered_s));
  auto refusals = state_.bundles.refusals();
  if (!refusals) return std::move(refusals).error();
  reports.push_back(refused_report(context_, *refusals));
  auto alarm = state_.ledger.get(kLogAlarm);
  if (!alarm) return std::move(alarm).error();
  auto forked = state_.ledger.get(kForked);
  if (!forked) return std::move(forked).error();
  reports.push_back(log_report(context_, alarm->has_value(), forked->has_value()));
  return reports;
}

Status Alerting::tick() {
  auto reports = reports_of_ledger();
  if (!reports) return std::move(reports).error();
  if (auto stepped = desk_.step(*reports); !stepped) return stepped;
  return desk_.tend();
}

}  // namespace vouch::agent
