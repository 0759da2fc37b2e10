// SPDX-License-Identifier: Apache-2.0
#include "collectors/backup_jobs/systemctl.h"

#include <utility>

#include "core/json.h"
#include "core/process.h"

namespace vouch::backup_jobs {
namespace {

constexpr std::int64_t kMicrosecondsPerSecond = 1000000;

Result<std::string> run_systemctl(std::vector<std::string> arguments,
                                  std::chrono::milliseconds deadline) {
  Command command;
  command.argv = {"/usr/bin/systemctl", "--no-pager", "--no-ask-password"};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.environment = default_environment();
  command.environment.emplace_back("TZ=UTC");
  command.deadline = deadline;
  auto exit = run_process(command);
  if (!exit) return std::move(exit).error().in("systemctl");
  if (exit->how == Exit::How::deadline)
    return Error{Errc::timeout, "systemctl did not answer in time"};
  if (exit->how != Exit::How::exited || exit->code != 0) {
    return Error{Errc::tool_failed, "systemctl ended with status " + std::to_string(exit->code)};
  }
  return std::move(exit->standard_output);
}

// Microseconds since 1970; 0, null and a missing member mean none.
std::optional<WallSeconds> get_time(const json::Value& object, std::string_view key) {
  const auto microseconds = json::get_integer(object, key);
  if (!microseconds || *microseconds <= 0) return std::nullopt;
  return *microseconds / kMicrosecondsPerSecond;
}

}  // namespace

bool is_systemd_running(const Root& root) {
  return root.is_host() && root.exists("/run/systemd/system");
}

std::optional<WallSeconds> parse_systemd_time(std::string_view text) {
  constexpr std::size_t kForm = 27;  // "Sat 2026-11-21 21:00:00 UTC"
  if (text.size() != kForm || !text.ends_with(" UTC")) return std::nullopt;
  std::string second(text.substr(4, 19));
  second[10] = 'T';
  const auto parsed = parse_second(second + "Z");
  return parsed ? std::optional(*parsed) : std::nullopt;
}

std::map<std::string, UnitState> parse_show(std::string_view text) {
  std::map<std::string, UnitState> states;
  std::string id;
  UnitState state;
  const auto finish = [&] {
    if (!id.empty()) states[std::exchange(id, {})] = std::exchange(state, {});
  };
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    const auto equals = line.find('=');
    if (line.empty()) finish();
    if (equals == line.npos) continue;
    const auto key = line.substr(0, equals);
    const auto value = line.substr(equals + 1);
    if (key == "Id") id = value;
    if (key == "ActiveState") state.active_state = value;
    if (key == "UnitFileState") state.unit_file_state = value;
    if (key == "Result") state.result = value;
    if (key == "ExecMainExitTimestamp") state.finished = parse_systemd_time(value);
  }
  finish();
  return states;
}

Result<std::map<std::string, TimerState>> parse_list_timers(std::string_view json_text) {
  const auto value = json::parse(json_text);
  if (!value) return Error(value.error()).in("systemctl list-timers");
  const json::Array* items = value->if_array();
  if (items == nullptr) return Error{Errc::invalid, "systemctl list-timers: no list"};
  std::map<std::string, TimerState> timers;
  for (const json::Value& item : *items) {
    auto unit = json::get_string(item, "unit");
    if (!unit) return std::move(unit).error().in("systemctl list-timers");
    timers[*unit] = {json::get_string(item, "activates").value_or(""), get_time(item, "next"),
                     get_time(item, "last")};
  }
  return timers;
}

Result<std::map<std::string, UnitState>> ask_units(const std::vector<std::string>& names,
                                                   std::chrono::milliseconds deadline) {
  if (names.empty()) return std::map<std::string, UnitState>();
  std::vector<std::string> arguments = {
      "show", "--property=Id,ActiveState,UnitFileState,Result,ExecMainExitTimestamp", "--"};
  arguments.insert(arguments.end(), names.begin(), names.end());
  const auto text = run_systemctl(std::move(arguments), deadline);
  if (!text) return text.error();
  return parse_show(*text);
}

Result<std::map<std::string, TimerState>> ask_timers(std::chrono::milliseconds deadline) {
  const auto text = run_systemctl({"list-timers", "--all", "--output=json"}, deadline);
  if (!text) return text.error();
  return parse_list_timers(*text);
}

}  // namespace vouch::backup_jobs
