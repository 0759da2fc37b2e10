// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/alerting.h"

#include <algorithm>
#include <array>
#include <set>

#include "agent/vouchd/acceptor.h"
#include "agent/vouchd/outbox.h"
#include "alerts/elapsed.h"
#include "core/file.h"
#include "core/log.h"
#include "proto/names.h"

namespace vouch::agent {
namespace {

constexpr std::size_t kFilesMax = 100'000;
constexpr std::int64_t kPruneSeconds = 3600;
constexpr mode_t kSharedFile = 0640;  // vouch-ship reads it.
constexpr mode_t kSharedDirectory = 0750;

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
  auto criteria = read_criteria(rules->mappings);
  if (!criteria) return std::move(criteria).error().in(options.rules_file + ": mappings");
  auto ledger = AlertLedger::open(state.ledger.database());
  if (!ledger) return std::move(ledger).error();
  if (auto made = make_directories(options.outbox + "/alerts", kSharedDirectory); !made) {
    return std::move(made).error();
  }
  auto alerting = std::make_unique<Alerting>(state, clock, *std::move(ledger), std::move(options),
                                             *std::move(rules));
  alerting->context_.labels = alerting->rules_.labels;
  alerting->context_.labels["host"] = alerting->options_.host;
  alerting->context_.criteria = *std::move(criteria);
  alerting->context_.packs = &packs;
  return alerting;
}

// A transaction that was undone, or another agent on this state (a reload), leaves a memory that is
// not what is stored.
Status Alerting::refresh() {
  auto stored = ledger_.generation();
  if (!stored) return std::move(stored).error();
  if (*stored == generation_) return Ok{};
  memory_ = alerts::State();
  seen_.clear();
  if (auto loaded = ledger_.load(memory_); !loaded) {
    if (loaded.error().code != Errc::corrupt) return loaded;
    // What fires is told again: better than silence.
    log::error(loaded.error().message + "; alerts begin anew");
    memory_ = alerts::State();
  }
  generation_ = *stored;
  return Ok{};
}

Result<Alerting::Said> Alerting::advance(const std::vector<alerts::Report>& reports) {
  if (auto fresh = refresh(); !fresh) return std::move(fresh).error();
  auto waiting = ledger_.count_waiting();
  if (!waiting) return std::move(waiting).error();
  const WallMs now = clock_.wall_ms();
  const std::int64_t room = std::max<std::int64_t>(kAlertsWaitingMax - *waiting, 0);
  Said said;
  said.alerts = alerts::advance(rules_, {state_.identity.agent, options_.host}, memory_, reports,
                                {now, static_cast<std::size_t>(room)});
  said.changes = memory_.take_changes();
  wake_ = alerts::next_wake(rules_, memory_, now);
  return said;
}

Status Alerting::store(const Said& said) {
  if (said.changes.empty() && said.alerts.empty()) return Ok{};
  Status done = ledger_.save(said.changes, ++generation_);
  for (const alerts::Alert& alert : said.alerts) {
    if (done) done = ledger_.add(alert);
  }
  return done;
}

Status Alerting::step(const std::vector<alerts::Report>& reports) {
  auto said = advance(reports);
  if (!said) return std::move(said).error();
  // Mostly there is nothing: then nothing is written.
  if (said->changes.empty() && said->alerts.empty()) return Ok{};
  auto done = state_.ledger.transaction(clock_.wall_ms(), [&] { return store(*said); });
  if (!done) generation_ = -1;
  return done;
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
  for (const auto& condition : memory_.conditions) {
    const std::string& source = condition.second.source;
    const bool of_collector =
        std::any_of(kCollectorSources.begin(), kCollectorSources.end(),
                    [&](std::string_view prefix) { return source.starts_with(prefix); });
    if (of_collector && !configured.contains(source)) reports.push_back({source, {}});
  }
  reports.push_back(waivers_report(context_, options_.waivers, rules_.waiver_s));
  if (auto stepped = step(reports); !stepped) return stepped;

  // The next tick writes every file that is missing.
  written_ = 0;
  auto waiting = ledger_.waiting();
  if (!waiting) return std::move(waiting).error();
  std::set<std::string> wanted;
  for (const AlertOnRecord& each : *waiting) wanted.insert(seq_name(each.n) + ".json");
  auto files = list_directory(options_.outbox + "/alerts", kFilesMax);
  if (!files) return std::move(files).error();
  for (const std::string& name : *files) {
    if (wanted.contains(name)) continue;
    auto removed = remove_file(options_.outbox + "/alerts/" + name);
    if (!removed) return removed;
  }
  return Ok{};
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
        silence_report(context_, entry, observation.finished, rules_.silence_intervals));
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
  reports.push_back(outcomes_report(context_, collector, *outcomes, read));
  const auto rows = drift != nullptr ? read(drift->sha256) : Result<std::string>("");
  if (rows) reports.push_back(drift_report(context_, collector, *rows));
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
                                       rules_.silence_intervals));
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
  auto said = advance(reports);
  Status done = said ? store(*said) : Status(said.error());
  if (!done) generation_ = -1;
  return done;
}

Result<std::vector<alerts::Report>> Alerting::reports_of_ledger() {
  std::vector<alerts::Report> reports;
  auto bytes = state_.bundles.spool_bytes();
  if (!bytes) return std::move(bytes).error();
  reports.push_back(spool_report(context_, *bytes, options_.spool_bytes_max, rules_.spool_percent));
  auto oldest = state_.bundles.oldest_waiting();
  if (!oldest) return std::move(oldest).error();
  reports.push_back(undelivered_report(context_, oldest->value_or(0), rules_.undelivered_s));
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
  if (auto stepped = step(*reports); !stepped) return stepped;
  if (auto tended = tend_waiting(); !tended) return tended;
  const WallMs now = clock_.wall_ms();
  if (!alerts::elapsed(now, pruned_, kPruneSeconds)) return Ok{};
  pruned_ = now;
  return state_.ledger.transaction(now, [&] { return ledger_.prune(now); });
}

std::optional<WallMs> Alerting::next_wake() const {
  return wake_;
}

std::string Alerting::path_of(std::int64_t n) const {
  return options_.outbox + "/alerts/" + seq_name(n) + ".json";
}

Status Alerting::tend_waiting() {
  auto waiting = ledger_.waiting();
  if (!waiting) return std::move(waiting).error();
  for (const AlertOnRecord& each : *waiting) {
    if (auto written = write_file(each); !written) return written;
    auto sent = take_answer(each);
    if (!sent) return std::move(sent).error();
    if (*sent) continue;
    if (auto dropped = drop_if_old(each); !dropped) return dropped;
  }
  return Ok{};
}

Status Alerting::write_file(const AlertOnRecord& waiting) {
  if (waiting.n <= written_) return Ok{};
  if (!file_exists(path_of(waiting.n))) {
    auto text = ledger_.text(waiting.n);
    if (!text) return std::move(text).error();
    auto written =
        write_file_durable_via(options_.outbox + "/tmp", path_of(waiting.n), *text, kSharedFile);
    if (!written) return written;
  }
  written_ = waiting.n;
  return Ok{};
}

Result<bool> Alerting::take_answer(const AlertOnRecord& waiting) {
  const auto text = read_untrusted(
      options_.receipts_dir + "/" + seq_name(waiting.n) + ".alert.json", options_.ship_uid);
  if (!text) return false;
  const auto answer = alerts::parse_answer(*text);
  if (!answer || answer->n != waiting.n) return false;
  if (!answer->sent && waiting.failed == *answer->failed && waiting.message == answer->message) {
    return false;
  }
  auto done = state_.ledger.transaction(clock_.wall_ms(), [&]() -> Status {
    if (answer->sent) return ledger_.set_sent(waiting.n, *answer->sent);
    return ledger_.set_failed(waiting.n, *answer->failed, answer->message);
  });
  if (!done) return std::move(done).error();
  if (!answer->sent) return false;
  if (auto removed = remove_file(path_of(waiting.n)); !removed) return std::move(removed).error();
  return true;
}

Status Alerting::drop_if_old(const AlertOnRecord& waiting) {
  const WallMs now = clock_.wall_ms();
  if (now - waiting.made < rules_.give_up_s * 1000) return Ok{};
  log::error("alert " + std::to_string(waiting.n) + " to " + waiting.channel +
             " could not be delivered and is given up: " + waiting.message);
  auto done = state_.ledger.transaction(now, [&] { return ledger_.set_dropped(waiting.n); });
  if (!done) return done;
  return remove_file(path_of(waiting.n));
}

Result<std::int64_t> Alerting::send_test(std::string_view channel) {
  if (rules_.find_channel(channel) == nullptr) {
    return Error{Errc::not_found,
                 "no channel " + std::string(channel) + " in " + options_.rules_file};
  }
  const WallMs now = clock_.wall_ms();
  std::int64_t n = 0;
  auto done = state_.ledger.transaction(now, [&]() -> Status {
    auto added = ledger_.add(
        alerts::make_test(std::string(channel), {state_.identity.agent, options_.host}, now));
    if (!added) return added;
    auto latest = ledger_.latest(1);
    if (!latest) return std::move(latest).error();
    n = latest->front().n;
    return Ok{};
  });
  if (!done) return std::move(done).error();
  if (auto tended = tend_waiting(); !tended) return std::move(tended).error();
  return n;
}

}  // namespace vouch::agent
