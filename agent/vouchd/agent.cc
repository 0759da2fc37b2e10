// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/agent.h"

#include <algorithm>

#include "agent/vouchd/alerting.h"
#include "agent/vouchd/config_blob.h"
#include "agent/vouchd/set_aside.h"
#include "core/digest.h"
#include "core/file.h"
#include "core/log.h"
#include "core/owner.h"
#include "policies/engine/waiver.h"
#include "proto/names.h"

namespace vouch::agent {
namespace {

constexpr std::int64_t kWaitMsMax = 30'000;  // A stepped clock is noticed within this time.
constexpr std::int64_t kHousekeepUs = std::int64_t{600} * 1'000'000;
constexpr std::size_t kWaiversBytesMax = 4u << 20;

Result<std::optional<TableBlob>> load_waiver_table(const std::string& path) {
  if (path.empty()) return std::optional<TableBlob>();
  auto text = read_file(path, kWaiversBytesMax);
  if (!text) return std::move(text).error().in("waivers");
  auto waivers = policy::load_waivers(*text, path);
  if (!waivers) return std::move(waivers).error();
  TableBlob blob;
  blob.bytes = policy::write_waivers(*waivers);
  blob.rows = static_cast<std::int64_t>(waivers->size());
  blob.sha256 = sha256_hex(blob.bytes);
  return std::optional(std::move(blob));
}

}  // namespace

Agent::Agent(Config config, const Clock& clock, Runner& runner, HostFacts host,
             std::string executable, std::unique_ptr<State> state)
    : config_(std::move(config)),
      clock_(clock),
      runner_(runner),
      host_(std::move(host)),
      executable_(std::move(executable)),
      state_(std::move(state)),
      recorder_(*state_, clock, runner) {}

Result<std::unique_ptr<Agent>> Agent::open(Config config, const Clock& clock, Runner& runner,
                                           const HostFacts& host, const std::string& executable,
                                           HostLoad* load) {
  auto state = open_or_replace_state(config.state_dir, host.machine, clock.wall_ms());
  if (!state) return std::move(state).error();
  auto digest = Result<std::string>(executable);
  if (executable.starts_with('/')) {
    const auto mark = file_mark(executable);
    if (!mark) return mark.error();
    digest = known_digest(executable, *mark, &(*state)->ledger);
    if (!digest) return std::move(digest).error();
  }
  auto agent = std::make_unique<Agent>(std::move(config), clock, runner, host, *std::move(digest),
                                       *std::move(state));
  agent->load_ = load;
  if (auto loaded = agent->load(); !loaded) return std::move(loaded).error();
  return agent;
}

// In one transaction: what is kept for the next start is flushed to the disk once.
Status Agent::load() {
  auto read = state_->ledger.database().transaction([this] { return read_content(); });
  if (!read) return read;
  sealer_.emplace(*state_, clock_,
                  SealerOptions{host_, executable_, config_.heartbeat_s, config_.rotate_s,
                                config_.rotate_bundles});
  AcceptorOptions options;
  options.receipts_dir = config_.receipts_dir();
  options.ship_uid = owner_of(options.receipts_dir);
  options.file_is_delivery = !config_.destination.empty();
  options.kept_ms = config_.kept_s * 1000;
  options.kept_bytes_max = config_.kept_bytes_max;
  auto acceptor = Acceptor::make(*state_, clock_, std::move(options));
  if (!acceptor) return std::move(acceptor).error();
  acceptor_.emplace(*std::move(acceptor));
  if (auto paused = load_pauses(); !paused) return paused;
  return open_alerting();
}

// Collectors, packs, waivers, registers, and the blobs of all of them.
Status Agent::read_content() {
  auto collectors = load_collectors(config_, runner_, &state_->ledger);
  if (!collectors) return std::move(collectors).error();
  collectors_ = *std::move(collectors);
  schedule_ = make_schedule(collectors_, state_->identity.agent, config_.splay_s_max);
  LedgerPackCache cache(state_->ledger, executable_);
  auto packs = policy::load_pack_set_cached(config_.packs, cache);
  if (!packs) return std::move(packs).error();
  auto waivers = load_waiver_table(config_.waivers);
  if (!waivers) return std::move(waivers).error();
  auto registers = policy::load_registers(config_.registers);
  if (!registers) return std::move(registers).error();
  auto judge =
      RunJudge::make(*std::move(packs), collectors_, *std::move(waivers), *std::move(registers));
  if (!judge) return std::move(judge).error();
  judge_.emplace(*std::move(judge));
  auto known = state_->ledger.get(kJudgements);
  if (!known) return std::move(known).error();
  if (*known && (*known)->starts_with(executable_)) {
    judge_->memo().restore(std::string_view(**known).substr(executable_.size()));
  }
  const auto keep = [&](const std::map<std::string, std::string>& blobs) -> Status {
    for (const auto& [sha256, bytes] : blobs) {
      if (auto put = state_->put_blob(sha256, bytes); !put) return put;
    }
    return Ok{};
  };
  if (auto kept = keep(judge_->take_pack_texts()); !kept) return kept;
  if (auto kept = keep(judge_->blobs()); !kept) return kept;
  const std::string blob = write_config_blob(config_, collectors_, schedule_);
  config_digest_ = sha256_hex(blob);
  return state_->put_blob(config_digest_, blob);
}

Status Agent::record_event(const Record& record, WallMs due) {
  WaitingRecord waiting;
  waiting.record = record;
  waiting.due = due;
  waiting.urgent = true;
  auto blobs = state_->blobs_of(record);
  if (!blobs) return std::move(blobs).error();
  return state_->ledger.transaction(clock_.wall_ms(),
                                    [&] { return state_->waiting.add(waiting, *blobs); });
}

// Trouble in one place stops nothing in the others: what is there is sealed all the same. The first
// trouble is returned at the end.
Status Agent::poll() {
  if (!started_) {  // Before, it does not know which ticks have a record.
    if (auto started = start(); !started) return started;
  }
  if (auto watched = watch_clock(); !watched) return watched;
  Status trouble = Ok{};
  const auto note = [&trouble](Status done) {
    if (trouble && !done) trouble = std::move(done);
  };
  auto full = spool_is_full();
  if (!full) return std::move(full).error();
  for (const Due& due : find_due(schedule_, progress_, clock_.wall_ms())) {
    note(run_tick(due, *full));
  }
  note(run_triggered(*full));
  note(run_by_boot_clock(*full));
  missed_because_ = "overrun";  // Whatever is missed from here on, we were too slow for.
  if (auto accepted = acceptor_->scan(); !accepted) note(std::move(accepted).error());
  if (alerting_) note(alerting_->tick());
  auto seal_due = sealer_->due_us();
  if (!seal_due) return std::move(seal_due).error();
  if (*seal_due <= clock_.boot_us()) note(seal());
  note(housekeep());
  return trouble;
}

std::int64_t Agent::wait_ms() {
  std::int64_t wait = kWaitMsMax;
  if (const auto wake = next_wake(schedule_, progress_)) {
    wait = std::min(wait, *wake - clock_.wall_ms());
  }
  if (const auto due = next_by_boot_clock_us()) {
    wait = std::min(wait, (*due - clock_.boot_us() + 999) / 1000);
  }
  if (auto due = sealer_->due_us()) {
    wait = std::min(wait, (*due - clock_.boot_us() + 999) / 1000);
  }
  if (const auto wake = alerting_ ? alerting_->next_wake() : std::nullopt) {
    wait = std::min(wait, *wake - clock_.wall_ms());
  }
  return std::max<std::int64_t>(wait, 0);
}

Result<std::string> Agent::collect(std::string_view collector, Trigger trigger, std::string cause) {
  for (std::size_t i = 0; i < collectors_.size(); ++i) {
    if (collectors_[i].name != collector) continue;
    return recorder_.run(collectors_[i], schedule_[i], {trigger, 0, std::move(cause)}, *judge_,
                         collectors_);
  }
  return Error{Errc::not_found, "no collector " + std::string(collector) + " is configured"};
}

Status Agent::collect_all(Trigger trigger) {
  for (const Collector& collector : collectors_) {
    if (auto run = collect(collector.name, trigger); !run) return std::move(run).error();
  }
  return Ok{};
}

Status Agent::seal() {
  auto sealed = sealer_->seal();
  if (!sealed) return std::move(sealed).error();
  return Ok{};
}

Status Agent::stop(std::string_view reason) {
  if (auto accounted = account_for_absence(Absence::stopping); !accounted) return accounted;
  if (auto recorded = record_event(AgentStop{clock_.wall_ms(), std::string(reason)}); !recorded) {
    return recorded;
  }
  if (auto told = alerting_ ? alerting_->tick() : Status(Ok{}); !told) {
    log::error("alerts: " + told.error().message);
  }
  if (auto sealed = seal(); !sealed) return sealed;
  return state_->ledger.transaction(clock_.wall_ms(), [&]() -> Status {
    auto kept = state_->ledger.set(kJudgements, executable_ + judge_->memo().write());
    return kept ? state_->ledger.set(kClean, "1") : kept;
  });
}

Result<bool> Agent::spool_is_full() {
  auto bytes = state_->bundles.spool_bytes();
  if (!bytes) return std::move(bytes).error();
  auto disk_is_full = state_->reserve.look();
  if (!disk_is_full) return std::move(disk_is_full).error();
  return *disk_is_full || *bytes >= config_.spool_bytes_max;
}

Status Agent::housekeep() {
  if (housekept_us_ != 0 && clock_.boot_us() - housekept_us_ < kHousekeepUs) return Ok{};
  housekept_us_ = clock_.boot_us();
  if (auto repaired = state_->repair_files(); !repaired) return repaired;
  auto lost = give_up_lost(*state_, clock_.wall_ms());
  if (!lost) return std::move(lost).error();
  if (auto expired = acceptor_->expire(); !expired) return expired;
  auto in_use = blobs_in_use();
  if (!in_use) return std::move(in_use).error();
  return state_->collect_garbage(*in_use);
}

Result<std::vector<std::string>> Agent::blobs_in_use() {
  std::vector<std::string> in_use{config_digest_};
  for (const auto& [sha256, bytes] : judge_->blobs()) in_use.push_back(sha256);
  for (const auto& [sha256, size] : judge_->packs_in_force()) in_use.push_back(sha256);
  for (const std::string_view key : {kConfigInForce, kPolicyInForce, kWaiversInForce}) {
    auto digest = state_->ledger.get(key);
    if (!digest) return std::move(digest).error();
    if (*digest) in_use.push_back(**digest);
  }
  auto states = state_->waiting.collectors();
  if (!states) return std::move(states).error();
  for (const CollectorState& collector : *states) {
    if (!collector.content) continue;
    Observation observation;
    observation.content = *collector.content;
    auto blobs = state_->blobs_of(observation);
    if (!blobs) return std::move(blobs).error();
    in_use.insert(in_use.end(), blobs->begin(), blobs->end());
  }
  return in_use;
}

}  // namespace vouch::agent
