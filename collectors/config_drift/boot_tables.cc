// SPDX-License-Identifier: Apache-2.0
// The tables boot_parameters and core_dump_settings.
#include <string>

#include "collectors/config_drift/config_drift.h"
#include "collectors/config_drift/core_dumps.h"
#include "collectors/config_drift/kernel_command_line.h"
#include "collectors/sdk/context.h"

namespace vouch::drift {
namespace {

using sdk::Context;
using sdk::Rows;

constexpr std::size_t kCommandLineBytesMax = 64 << 10;

void add_parameters(Rows& rows, const CommandLine& line) {
  for (const KernelParameter& parameter : parse_command_line(line.text)) {
    rows.add({line.scope, line.source, line.entry, parameter.name, parameter.value});
  }
}

Status collect_parameters(Context& context, Rows& rows) {
  if (context.is_host()) {
    auto running = context.root().read("/proc/cmdline", kCommandLineBytesMax);
    if (!running) return running.error();
    add_parameters(rows, {"running", "/proc/cmdline", "", *std::move(running)});
  }
  const CommandLines found = read_boot_command_lines(context.root());
  for (const auto& [path, error] : found.gaps) rows.gap(path, error);
  for (const CommandLine& line : found.lines) add_parameters(rows, line);
  return Ok{};
}

Status collect_core_dumps(Context& context, Rows& rows) {
  const CoreDumpSettings found = read_core_dump_settings(context.root());
  for (const auto& [path, error] : found.gaps) rows.gap(path, error);
  for (const CoreDumpSetting& setting : found.settings) {
    rows.add({setting.service, setting.name, setting.value, setting.source});
  }
  return Ok{};
}

}  // namespace

sdk::Table boot_parameters_table() {
  return {.name = "boot_parameters",
          .title = "What the kernel was started with, and what the boot loader's files say",
          .columns = {sdk::text("scope", "running, boot (an entry), template (of entries)").key(),
                      sdk::bytes("source", "The file").key(),
                      sdk::text("entry", "Title of the entry, or the setting").key(),
                      sdk::text("name", "Parameter").key(), sdk::occurrence(),
                      sdk::text("value", "What stands behind =").nullable("the name alone")},
          .capabilities = {"CAP_DAC_READ_SEARCH"},
          .collect = collect_parameters};
}

sdk::Table core_dump_settings_table() {
  return {.name = "core_dump_settings",
          .title =
              "Limits and storage of core dumps; where they go is kernel.core_pattern of "
              "system_controls",
          .columns = {sdk::text("service", "systemd-coredump, systemd, limits").key(),
                      sdk::text("name", "Lower case; of limits the domain and the type").key(),
                      sdk::occurrence(), sdk::text("value", "Value"),
                      sdk::bytes("source", "The file").nullable("the built-in default")},
          .collect = collect_core_dumps};
}

}  // namespace vouch::drift
