// SPDX-License-Identifier: Apache-2.0
// The table systemd_units: definitions from disk; on a host that systemd runs, their states too.
#include <string>

#include "collectors/config_drift/config_drift.h"
#include "collectors/config_drift/unit_files.h"
#include "collectors/sdk/context.h"
#include "core/process.h"

namespace vouch::drift {
namespace {

using sdk::Context;
using sdk::Rows;

constexpr std::size_t kOutputBytesMax = 16 << 20;

Result<std::map<std::string, UnitState>> ask_systemd(Context& context) {
  Command command;
  command.argv = {"/usr/bin/systemctl", "list-units", "--all",     "--plain",
                  "--no-legend",        "--full",     "--no-pager"};
  command.environment = default_environment();
  command.deadline = context.remaining();
  command.output_bytes_max = kOutputBytesMax;
  const auto exit = run_process(command);
  if (!exit) return exit.error();
  if (exit->how != Exit::How::exited || exit->code != 0) {
    return Error{Errc::tool_failed, "systemctl list-units: " + exit->standard_error};
  }
  return parse_list_units(exit->standard_output);
}

Status collect(Context& context, Rows& rows) {
  const auto& scanned = context.once(ScanUnits{context.root()});
  if (!scanned) return scanned.error();
  for (const auto& [object, error] : scanned->gaps) rows.gap(object, error);

  // sd_booted(3).
  const bool is_running = context.is_host() && context.root().exists("/run/systemd/system");
  std::map<std::string, UnitState> states;
  if (is_running) {
    auto answer = ask_systemd(context);
    if (!answer) return answer.error();
    states = *std::move(answer);
  }
  for (const auto& [id, unit] : scanned->units) {
    std::string drop_ins;
    for (const std::string& path : unit.drop_ins) drop_ins += (drop_ins.empty() ? "" : " ") + path;
    // What systemd has not loaded is as inactive as what it has.
    const auto known = states.find(id);
    const UnitState state = known == states.end() ? UnitState{"inactive", "dead"} : known->second;
    rows.add({id, unit.load_state, unit.unit_file_state,
              is_running ? sdk::Cell(state.active) : sdk::Cell(nullptr),
              is_running ? sdk::Cell(state.sub) : sdk::Cell(nullptr), unit.fragment_path,
              drop_ins});
  }
  return Ok{};
}

}  // namespace

sdk::Table systemd_units_table() {
  return {
      .name = "systemd_units",
      .title = "Units by definition and state",
      .columns = {sdk::text("id", "Name; name@.service is a template").key(),
                  sdk::text("load_state", "loaded, masked, not-found, error"),
                  sdk::text("unit_file_state", "enabled, disabled, static, masked, alias …"),
                  sdk::text("active_state", "Now").nullable("systemd does not run here"),
                  sdk::text("sub_state", "Now, in detail").nullable("systemd does not run here"),
                  sdk::bytes("fragment_path", "The file that defines it").nullable("none"),
                  sdk::text("drop_ins", "Files that change it, sorted")},
      .collect = collect};
}

}  // namespace vouch::drift
