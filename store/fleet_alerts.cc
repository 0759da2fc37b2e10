// SPDX-License-Identifier: Apache-2.0
#include "store/fleet_alerts.h"

#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "core/file.h"
#include "core/log.h"
#include "core/owner.h"
#include "policies/engine/describe.h"
#include "proto/outcomes.h"
#include "store/evidence_files.h"
#include "store/fleet.h"
#include "store/layout.h"

namespace vouch::store {
namespace {

namespace kind = alerts::kind;
using alerts::make_condition;
using alerts::Severity;

constexpr std::size_t kPolicySetsMax = 64;
constexpr int kDiskStep = 5;  // Percent: each step is told.
constexpr int kDiskCritical = 95;

// Members of a token's labels, "k=v k=v".
void add_labels(std::string_view text, alerts::Labels& labels) {
  while (!text.empty()) {
    const auto end = text.find(' ');
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const auto equals = one.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    labels.emplace(one.substr(0, equals), one.substr(equals + 1));
  }
}

std::string source_of(const LatestRun& run) {
  return "outcomes/" + run.agent + "/" + run.collector;
}

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

}  // namespace

FleetAlerts::FleetAlerts(FleetAlertsOptions options, const Clock& clock, sqlite::Database database)
    : options_(std::move(options)), clock_(&clock), database_(std::move(database)) {}

Result<std::unique_ptr<FleetAlerts>> FleetAlerts::open(FleetAlertsOptions options,
                                                       const Clock& clock) {
  if (auto trusted = require_trusted_path(options.rules, ::geteuid()); !trusted) {
    return std::move(trusted).error();
  }
  auto text = read_file(options.rules, alerts::kRulesBytesMax);
  if (!text) return std::move(text).error();
  auto rules = alerts::parse_rules(*text, options.rules);
  if (!rules) return std::move(rules).error();
  auto criteria = policy::read_criteria(rules->mappings);
  if (!criteria) return std::move(criteria).error().in(options.rules + ": mappings");

  const std::string place = options.directory + "/" + std::string(layout::kAlerts);
  if (auto made = make_directories(place, 0750); !made) return std::move(made).error();
  auto database = sqlite::Database::open(place + "/alerts.db");
  if (!database) return std::move(database).error();
  auto fleet = std::make_unique<FleetAlerts>(std::move(options), clock, *std::move(database));
  fleet->context_.labels = rules->labels;
  fleet->context_.criteria = *std::move(criteria);
  const auto transaction = [&database = fleet->database_](const std::function<Status()>& body) {
    return database.transaction(body);
  };
  const std::string answers = place + "/receipts";
  if (auto made = make_directories(answers, 0750); !made) return std::move(made).error();
  auto desk = alerts::Desk::open(fleet->database_, transaction, clock, *std::move(rules),
                                 {fleet->options_.origin, fleet->options_.host},
                                 {place + "/outbox", answers, owner_of(answers)});
  if (!desk) return std::move(desk).error();
  fleet->desk_ = std::make_unique<alerts::Desk>(*std::move(desk));
  return fleet;
}

alerts::Labels FleetAlerts::labels_of(const Agent& agent) const {
  alerts::Labels labels = context_.labels;
  add_labels(agent.labels, labels);
  labels["host"] = agent.host;
  labels["agent"] = agent.link.agent;
  return labels;
}

// Silence and forks, of every agent that still counts.
Status FleetAlerts::report_agents(Index& index, std::vector<alerts::Report>& reports) {
  auto agents = index.agents();
  if (!agents) return std::move(agents).error();
  alerts::Report silence{"silence", {}};
  alerts::Report forks{"forks", {}};
  const WallMs now = clock_->wall_ms();
  for (const Agent& agent : *agents) {
    alerts::AlertContext context;
    context.labels = labels_of(agent);
    const std::string& id = agent.link.agent;
    const WallMs due = std::max(agent.next_due, agent.last_at);
    if (agent.state == AgentState::active && agent.next_due > 0 && due + options_.grace_ms < now) {
      auto condition = make_condition(context, "silence/" + id, kind::kSilence, Severity::high,
                                      agent.host + " has gone quiet");
      condition.value = fmt::format("bundle {} was due at {}", agent.link.next_seq,
                                    format_second(agent.next_due / 1000));
      condition.remedy =
          "`vouch status` on the host says whether it works; decommission it if it "
          "is gone";
      silence.conditions.push_back(std::move(condition));
    }
    if (agent.state == AgentState::forked) {
      auto condition = make_condition(context, "fork/" + id, kind::kLogAlarm, Severity::critical,
                                      "The chain of " + agent.host + " is forked");
      condition.value = fmt::format("two bundles of one number, signed by the same key, about {}",
                                    agent.link.next_seq);
      condition.remedy = "Find the copy (a cloned machine, a restored snapshot), then enrol again.";
      forks.conditions.push_back(std::move(condition));
    }
  }
  reports.push_back(std::move(silence));
  reports.push_back(std::move(forks));
  return Ok{};
}

Result<alerts::Report> FleetAlerts::report_run(const Agent& agent, const LatestRun& run,
                                               Index& index, Disk& disk) {
  const auto read = [&](std::string_view sha256) { return read_blob(disk, index, sha256); };
  auto blob = read(run.outcomes);
  if (!blob) return std::move(blob).error();
  auto outcomes = read_outcomes(*blob);
  if (!outcomes) return std::move(outcomes).error();
  auto packs = packs_.find(run.policy);
  if (packs == packs_.end()) {
    auto loaded = packs_of_policy(run.policy, disk, index);
    if (!loaded) return std::move(loaded).error();
    if (packs_.size() >= kPolicySetsMax) packs_.clear();
    packs = packs_.emplace(run.policy, *std::move(loaded)).first;
  }
  alerts::AlertContext context;
  context.labels = labels_of(agent);
  context.criteria = context_.criteria;
  context.find = find_in(packs->second);
  auto report = alerts::outcomes_report(context, run.collector, *outcomes, read);
  report.source = source_of(run);
  for (auto& condition : report.conditions) condition.key = run.agent + "/" + condition.key;
  return report;
}

// What the latest run of each collector was judged as, where that has changed.
Status FleetAlerts::report_runs(Index& index, Disk& disk, std::vector<alerts::Report>& reports) {
  auto state = index.log_state();
  if (!state) return std::move(state).error();
  if (state->size == log_size_) return Ok{};
  auto agents = index.agents();
  if (!agents) return std::move(agents).error();
  auto runs = index.latest_runs();
  if (!runs) return std::move(runs).error();
  std::map<std::string_view, const Agent*> by_id;
  for (const Agent& agent : *agents) by_id.emplace(agent.link.agent, &agent);
  for (const LatestRun& run : *runs) {
    const auto agent = by_id.find(run.agent);
    if (agent == by_id.end()) continue;
    const bool counts = agent->second->state == AgentState::active;
    const std::string digest = counts ? run.outcomes + run.policy : "";
    std::string& seen = seen_[source_of(run)];
    if (seen == digest) continue;
    seen = digest;
    if (!counts) {
      reports.push_back({source_of(run), {}});
      continue;
    }
    auto report = report_run(*agent->second, run, index, disk);
    if (report) {
      reports.push_back(*std::move(report));
    } else {
      // Dropped or lost evidence says nothing: what was told of that host stays.
      log::warn("alerts: " + agent->second->host + ": run " + run.run + ": " +
                report.error().message);
    }
  }
  log_size_ = state->size;
  return Ok{};
}

alerts::Report FleetAlerts::report_disk() const {
  alerts::Report report{"disk", {}};
  struct statvfs system {};
  if (::statvfs(options_.directory.c_str(), &system) != 0) return report;
  // As df(1): of what may be used at all.
  const auto used = system.f_blocks - system.f_bfree;
  if (used + system.f_bavail == 0) return report;
  const auto level = static_cast<std::int64_t>(used * 100 / (used + system.f_bavail));
  const std::int64_t limit = desk_->rules().spool_percent;
  if (level < limit) return report;
  const bool critical = level >= kDiskCritical;
  auto condition = make_condition(context_, "disk", kind::kSpoolPressure,
                                  critical ? Severity::critical : Severity::high,
                                  "The store's file system fills up");
  // In steps, so that it is not stored anew with every bundle.
  condition.magnitude = std::max(level / kDiskStep * kDiskStep, limit);
  condition.value = fmt::format("{} % or more are used", condition.magnitude);
  condition.remedy = "Make room before it is full: then no bundle is taken any more.";
  report.conditions.push_back(std::move(condition));
  return report;
}

Status FleetAlerts::tick(Index& index, Disk& disk) {
  auto anew = desk_->refresh();
  if (!anew) return std::move(anew).error();
  if (*anew) {
    // What was reported may not be what is remembered: everything is looked at again.
    seen_.clear();
    log_size_ = 0;
    if (auto swept = desk_->sweep(); !swept) return swept;
  }
  std::vector<alerts::Report> reports{report_disk()};
  if (auto done = report_agents(index, reports); !done) return done;
  if (auto done = report_runs(index, disk, reports); !done) return done;
  if (auto stepped = desk_->step(reports); !stepped) {
    seen_.clear();
    log_size_ = 0;
    return stepped;
  }
  return desk_->tend();
}

Result<json::Value> FleetAlerts::list(std::int64_t at_most) {
  if (auto fresh = desk_->refresh(); !fresh) return std::move(fresh).error();
  return desk_->list(at_most);
}

}  // namespace vouch::store
