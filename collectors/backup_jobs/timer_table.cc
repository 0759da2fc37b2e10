// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "collectors/backup_jobs/systemctl.h"
#include "collectors/backup_jobs/tables.h"
#include "collectors/backup_jobs/unit_files.h"
#include "collectors/sdk/context.h"

namespace vouch::backup_jobs {
namespace {

// What a running systemd adds to the files.
struct LiveState {
  std::map<std::string, TimerState> timers;
  std::map<std::string, UnitState> units;
};

Result<LiveState> ask_systemd(const sdk::Context& context, const Units& timers) {
  LiveState live;
  auto states = ask_timers(context.remaining());
  if (!states) return std::move(states).error();
  live.timers = *std::move(states);
  std::vector<std::string> names;
  for (const Unit& timer : timers.units) {
    names.push_back(timer.name);
    names.push_back(activated_by(timer));
  }
  auto units = ask_units(names, context.remaining());
  if (!units) return std::move(units).error();
  live.units = *std::move(units);
  return live;
}

void add_live_row(const Unit& timer, const LiveState& live, sdk::Rows& rows) {
  TimerState state;
  if (const auto found = live.timers.find(timer.name); found != live.timers.end())
    state = found->second;
  const std::string activates = state.activates.empty() ? activated_by(timer) : state.activates;
  UnitState own;
  if (const auto found = live.units.find(timer.name); found != live.units.end())
    own = found->second;
  sdk::Cell result(nullptr);
  const auto service = live.units.find(activates);
  if (service != live.units.end() && service->second.finished) result = service->second.result;
  const std::string& file_state = own.unit_file_state.empty() ? timer.state : own.unit_file_state;
  rows.add({timer.name, activates, file_state, own.active_state, state.next, state.last, result});
}

void add_file_row(const sdk::Context& context, const Unit& timer, sdk::Rows& rows) {
  const auto last = last_trigger(context.root(), timer.name);
  const bool is_persistent = timer.last("Timer", "Persistent") == "true" ||
                             timer.last("Timer", "Persistent") == "yes" ||
                             timer.last("Timer", "Persistent") == "1";
  // Of an image, systemd's memory is gone: only persistent timers leave a trace.
  if (!last && !context.is_host() && !is_persistent && timer.state != "masked") {
    rows.gap(timer.name,
             {Errc::unsupported, "not persistent: only a running systemd knows its last run"});
  }
  rows.add({timer.name, activated_by(timer), timer.state, nullptr, nullptr, last, nullptr});
}

}  // namespace

Status collect_systemd_timers(sdk::Context& context, sdk::Rows& rows) {
  const auto timers = read_units(context.root(), ".timer");
  if (!timers) return timers.error();
  if (is_systemd_running(context.root())) {
    const auto live = ask_systemd(context, *timers);
    if (!live) return live.error();
    for (const Unit& timer : timers->units) add_live_row(timer, *live, rows);
  } else {
    for (const Unit& timer : timers->units) add_file_row(context, timer, rows);
  }
  for (const UnitProblem& problem : timers->problems) rows.gap(problem.path, problem.error);
  return Ok{};
}

}  // namespace vouch::backup_jobs
