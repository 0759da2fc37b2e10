// SPDX-License-Identifier: Apache-2.0
#include "collectors/command/command.h"

#include <fmt/format.h>

#include <map>

#include "collectors/command/declarations.h"
#include "collectors/command/program.h"

namespace vouch::command {
namespace {

using sdk::Context;
using sdk::Rows;

constexpr std::string_view kDefaultFile = "/etc/vouch/collectors/command.yaml";

using Commands = std::vector<CommandSpec>;
using Programs = std::map<std::string, Result<Program>>;

// Each program is looked at once a run.
const Result<Program>& program_of(Context& context, const std::string& path) {
  // One map for all commands, filled as they come.
  const auto& shared = context.once([] { return std::make_shared<Programs>(); });
  const auto known = shared->find(path);
  if (known != shared->end()) return known->second;
  return shared->emplace(path, look_at_program(context.root(), path)).first->second;
}

Status require_host(const Context& context) {
  if (context.is_host()) return Ok{};
  return Error{Errc::unsupported, "no command is run for an image"};
}

Status collect_command(const CommandSpec& spec, Context& context, Rows& rows) {
  if (auto host = require_host(context); !host) return host;
  const auto& program = program_of(context, spec.argv[0]);
  if (!program) return program.error();
  const auto output = run_program(context.root(), spec, *program, context.remaining());
  if (!output) return output.error();
  const auto take = [&](std::size_t line, const Result<std::vector<sdk::Value>>& values) {
    if (values) {
      sdk::add_row(rows, *values);
    } else {
      rows.gap(fmt::format("line {}", line), values.error());
    }
  };
  auto read = read_output(*spec.table, spec.form, *output, take);
  if (!read) return std::move(read).error().in("what " + spec.argv[0] + " printed");
  return Ok{};
}

Status collect_commands(const Commands& commands, Context& context, Rows& rows) {
  if (auto host = require_host(context); !host) return host;
  for (const CommandSpec& spec : commands) {
    const auto& program = program_of(context, spec.argv[0]);
    if (!program) {
      rows.gap(spec.table->name, program.error());
      continue;
    }
    const std::vector<std::string> arguments(spec.argv.begin() + 1, spec.argv.end());
    rows.add({spec.table->name, spec.argv[0], fmt::format("{}", fmt::join(arguments, " ")),
              program->sha256});
  }
  return Ok{};
}

Status collect_unconfigured(Context& /*context*/, Rows& /*rows*/) {
  return Error{Errc::not_found, std::string(kDefaultFile) + ": no command is declared"};
}

// The tables by their commands, which both live in what the tables' functions hold.
Result<sdk::Collector> configure(const sdk::Collector& collector, const json::Object& options) {
  const auto declarations = sdk::find_declarations(options, kDefaultFile);
  if (!declarations) return declarations.error();
  if (!*declarations) return collector;
  auto read = read_commands(**declarations);
  if (!read) return std::move(read).error();
  // Shared by the functions of all tables.
  const auto commands = std::make_shared<const Commands>(*std::move(read));
  sdk::Collector configured = collector;
  configured.tables[0].collect = [commands](Context& context, Rows& rows) {
    return collect_commands(*commands, context, rows);
  };
  for (const CommandSpec& spec : *commands) {
    auto table = sdk::make_table(spec.table, [commands, &spec](Context& context, Rows& rows) {
      return collect_command(spec, context, rows);
    });
    if (auto added = sdk::add_table(configured, std::move(table)); !added) {
      return std::move(added).error().in((*declarations)->path);
    }
  }
  return configured;
}

}  // namespace

sdk::Collector make_command() {
  sdk::Collector collector;
  collector.name = "command";
  collector.title = "Programs of the site's own, by declaration; each prints the rows of one table";
  collector.interval_s = 3600;
  collector.deadline_s = 120;
  collector.options = {{.name = "file",
                        .type = sdk::OptionType::text,
                        .title = "Which commands there are (docs/collectors/declared.md): absolute "
                                 "path; default: /etc/vouch/collectors/command.yaml"}};
  collector.tables = {
      {.name = "site_commands",
       .title = "The commands whose output is in the other tables",
       .columns = {sdk::text("table_name", "The table that it fills").key(),
                   sdk::bytes("program", "Executable"),
                   sdk::bytes("arguments", "Separated by spaces").redact(Redaction::command),
                   sdk::text("sha256", "Digest of the executable that ran")},
       .collect = collect_unconfigured}};
  collector.configure = configure;
  return collector;
}

}  // namespace vouch::command
