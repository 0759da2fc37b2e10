// SPDX-License-Identifier: Apache-2.0
// The agent as one object: what it does between two looks at the clock, without threads, sockets
// or signals, so that a test can lead it through a year in a second. The daemon (daemon.h) and
// `vouchd --once` drive it:
//
//   auto agent = Agent::open(config, clock, runner, host, digest);
//   agent->start();                                  what a crash left, agent-start
//   while (…) { agent->poll(); wait(agent->wait_ms()); }
//   agent->stop("SIGTERM");
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/vouchd/acceptor.h"
#include "agent/vouchd/collector.h"
#include "agent/vouchd/config.h"
#include "agent/vouchd/host_facts.h"
#include "agent/vouchd/host_load.h"
#include "agent/vouchd/maintenance.h"
#include "agent/vouchd/run_judge.h"
#include "agent/vouchd/run_recorder.h"
#include "agent/vouchd/runner.h"
#include "agent/vouchd/scheduler.h"
#include "agent/vouchd/sealer.h"
#include "agent/vouchd/state.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"

namespace vouch::agent {

class Alerting;

class Agent {
 public:
  // Opens the state and loads collectors, packs and waivers. Nothing is recorded yet. `clock` and
  // `runner` must outlive the agent, and `load`; without one the host is never busy. `executable`
  // is the digest of the running program, or the absolute path where it lies.
  static Result<std::unique_ptr<Agent>> open(Config config, const Clock& clock, Runner& runner,
                                             const HostFacts& host, const std::string& executable,
                                             HostLoad* load = nullptr);
  Agent(Config config, const Clock& clock, Runner& runner, HostFacts host, std::string executable,
        std::unique_ptr<State> state);  // Use open().
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // Makes the files follow the ledger, accounts for every tick that passed without us, and records
  // the start and what changed of configuration, policy and waivers since.
  Status start();
  // Runs what is due, looks at receipts, seals if it is time. Trouble in one of these does not keep
  // it from the others. Starts first, if start() has failed.
  Status poll();
  // How long nothing will be due, if nothing happens.
  [[nodiscard]] std::int64_t wait_ms();
  // A run outside the schedule, judged and recorded; its id. Errc::not_found for an unknown name.
  Result<std::string> collect(std::string_view collector, Trigger trigger, std::string cause = "");
  Status collect_all(Trigger trigger);
  // A watched path changed: the next poll() runs the collector, unless it is in a window; then the
  // first poll() after it. `cause`: the path, as a record names it.
  void trigger(const std::string& collector, const std::string& cause);
  // Those that still wait: the agent of the next configuration takes them over.
  [[nodiscard]] const std::map<std::string, std::string>& triggered() const { return triggered_; }
  // Keeps a collector from its schedule, from now for so many seconds; until when. Kept over
  // restarts. Errc::invalid: no reason, or too long.
  Result<WallSeconds> pause(const std::string& collector, std::int64_t seconds, std::string by,
                            std::string reason);
  // Ends the pauses of a collector. Errc::not_found: there is none.
  Status resume(const std::string& collector);
  // Now, whether it is time or not.
  Status seal();
  // Files follow the ledger, lost blobs are given up, what is old goes: poll() does it now and
  // then.
  Status housekeep();
  // A command of the control socket (control.h) that is not one of the above; its answer.
  Result<json::Value> command(std::string_view name, const json::Value& request);
  // Accounts for what is due, records agent-stop and seals.
  Status stop(std::string_view reason);

  [[nodiscard]] json::Value status();
  // Errc::not_found: no such channel, or nobody is alerted at all.
  Result<std::int64_t> send_test_alert(std::string_view channel);
  Result<json::Value> list_alerts(std::int64_t at_most);
  // The ledger's file is damaged: only a start can help (set_aside.h).
  [[nodiscard]] bool is_damaged();
  [[nodiscard]] State& state() { return *state_; }
  [[nodiscard]] const std::vector<ScheduleEntry>& schedule() const { return schedule_; }

 private:
  Status load();
  Status read_content();
  Status open_alerting();
  Result<std::string> owner_of_table(const std::string& table, const std::string& wanted);
  Result<json::Value> approve_baseline(const json::Value& request);
  Status take_document(Attachment& document);
  Result<json::Value> attach(const json::Value& request);
  Result<json::Value> list_attachments();
  Result<json::Value> list_baselines();
  Result<json::Value> rotate_key();
  Status record_event(const Record& record, WallMs due = 0);
  enum class Absence { crashed_or_stopped, stopping };
  Status account_for_absence(Absence absence);
  Status record_crash(const ScheduleEntry& entry, std::int64_t tick);
  Status record_absence(const ScheduleEntry* entry, const std::string& collector, TickRange ticks,
                        WallMs crashes_before);
  Status record_changes();
  void adopt_schedule();
  Status watch_clock();
  Status take_back_future();
  Status take_back(WaitingRecord record, WallMs due_to);
  Result<std::vector<ScheduleEntry>> schedule_in_force();
  Status run_by_boot_clock(bool spool_full);
  [[nodiscard]] std::optional<std::int64_t> next_by_boot_clock_us() const;
  Status run_tick(const Due& due, bool spool_full);
  Status account_for(std::size_t index, const TickSlice& slice, std::int64_t newest,
                     bool spool_full);
  bool is_put_off(const ScheduleEntry& entry, std::int64_t tick);
  Status run_triggered(bool spool_full);
  Progress* progress_of(std::string_view collector);
  void move_on(const std::string& collector, std::int64_t next_tick);
  Status record_missed(const std::string& collector, TickRange ticks, std::string_view reason,
                       WallMs due = 0);
  Status record_suppressed(const std::string& collector, TickRange ticks, const Suppression& why,
                           WallMs due = 0);
  Status load_pauses();
  Status keep_pauses(std::vector<Window> pauses);
  void set_pauses(std::vector<Window> pauses);
  Result<bool> spool_is_full();
  Result<std::vector<std::string>> blobs_in_use();

  Config config_;
  const Clock& clock_;
  Runner& runner_;
  HostFacts host_;
  std::string executable_;
  std::unique_ptr<State> state_;
  std::vector<Collector> collectors_;
  std::vector<ScheduleEntry> schedule_;
  std::vector<Progress> progress_;
  std::vector<Window> pauses_;
  std::vector<Window> windows_;                   // Those of the configuration, and the pauses.
  std::map<std::string, std::string> triggered_;  // Collectors with what changed.
  HostLoad* load_ = nullptr;
  std::map<std::string, std::int64_t> ran_us_;  // By the boot clock, while no tick can fall due.
  std::string config_digest_;
  std::optional<RunJudge> judge_;
  RunRecorder recorder_;
  std::optional<Sealer> sealer_;
  std::optional<Acceptor> acceptor_;
  std::unique_ptr<Alerting> alerting_;  // Null: nobody is alerted. Is told of records by state_.
  WallMs accounted_to_ = 0;             // Every tick due before has a record.
  ClockReading last_clock_;
  std::int64_t last_monotonic_us_ = 0;
  std::string_view missed_because_ = "overrun";
  std::int64_t housekept_us_ = 0;
  bool started_ = false;
};

}  // namespace vouch::agent
