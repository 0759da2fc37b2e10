// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <ostream>

#include "agent/cli/command.h"
#include "agent/cli/live.h"
#include "agent/cli/places.h"
#include "agent/cli/rows.h"
#include "agent/vouchd/direct_runner.h"

namespace vouch::cli {
namespace {

// The columns in the order in which the collector declares them.
std::vector<std::string> declared_columns(const Manifest& manifest, const std::string& table) {
  std::vector<std::string> names;
  if (const auto* schema = manifest.find(table)) {
    for (const auto& column : schema->columns) names.push_back(column.name);
  }
  return names;
}

Result<const agent::Collector*> find_collector(const std::vector<agent::Collector>& collectors,
                                               const std::string& name) {
  std::string known;
  for (const auto& collector : collectors) {
    if (collector.name == name) return &collector;
    known += (known.empty() ? "" : ", ") + collector.name;
  }
  return Error{Errc::not_found, fmt::format("no collector \"{}\"; there are {}", name, known)};
}

Status require_tables(const agent::Collector& collector, const std::vector<std::string>& wanted) {
  for (const auto& name : wanted) {
    if (collector.manifest.find(name) != nullptr) continue;
    std::string known;
    for (const auto& table : collector.manifest.tables) {
      known += (known.empty() ? "" : ", ") + table.name;
    }
    return Error{Errc::not_found,
                 fmt::format("{} has no table \"{}\"; there are {}", collector.name, name, known)};
  }
  return Ok{};
}

json::Value run_as_json(const LiveRun& run, const Live& live) {
  json::Object tables;
  json::Object errors;
  for (const auto& table : run.tables) {
    if (table.error) {
      errors.emplace(table.name,
                     json::Object{{"code", table.error->code}, {"message", table.error->message}});
      continue;
    }
    const auto rows = read_rows(live.blobs.at(table.sha256));
    if (rows) {
      tables.emplace(table.name,
                     json::Object{{"sha256", table.sha256}, {"rows", rows_as_json(*rows)}});
    }
  }
  return json::Object{{"collector", run.collector->name}, {"version", run.ran.version},
                      {"digest", run.ran.digest},         {"collected", format_second(live.now)},
                      {"tables", std::move(tables)},      {"errors", std::move(errors)}};
}

void print_run(const LiveRun& run, const Live& live, const Output& output) {
  constexpr auto kAll = std::numeric_limits<std::size_t>::max();
  for (const auto& table : run.tables) {
    if (table.error) continue;
    const auto rows = read_rows(live.blobs.at(table.sha256));
    if (!rows || (table.name == "gaps" && rows->empty())) continue;
    output.out << coloured(table.name, Colour::bold, output.style)
               << fmt::format("  {} rows  sha256 {}\n", table.rows, table.sha256.substr(0, 12));
    if (!rows->empty()) {
      const auto columns = declared_columns(run.collector->manifest, table.name);
      output.out << rows_as_text(*rows, columns, kAll, output.style);
    }
    output.out << '\n';
  }
}

}  // namespace

int run_collect(const Arguments& arguments, Output& output) {
  auto places = find_places(arguments);
  if (!places) return fail_configuration(places.error(), output);
  auto collectors = load_collectors(*places);
  if (!collectors) return output.fail(collectors.error());
  auto collector = find_collector(*collectors, arguments.positional[0]);
  if (!collector) return output.fail(collector.error());
  const auto wanted = arguments.values("--table");
  auto known = require_tables(**collector, wanted);
  if (!known) return output.fail(known.error());

  const SystemClock clock;
  agent::DirectRunner runner(clock);
  LiveOrder order{arguments.value("--root").value_or("/"), {wanted.begin(), wanted.end()}};
  const std::vector<agent::Collector> one{**collector};  // Outlives `live`, which points into it.
  const auto live = collect_now(one, order, runner, clock);
  if (live.runs.empty()) return output.fail({Errc::other, "nothing was asked for"});
  const auto& run = live.runs[0];
  if (run.violation) {
    return output.fail({Errc::tool_failed,
                        fmt::format("collector {} failed: {}: {}", (*collector)->name,
                                    to_string(run.violation->reason), run.violation->message)}),
           kExitNotJudged;
  }
  if (output.json) {
    output.write_json(run_as_json(run, live));
  } else {
    print_run(run, live, output);
  }
  bool all_read = true;
  for (const auto& table : run.tables) {
    if (!table.error) continue;
    all_read = false;
    output.note(fmt::format("table {} could not be read: {}: {}", table.name, table.error->code,
                            table.error->message));
  }
  return all_read ? kExitPass : kExitNotJudged;
}

}  // namespace vouch::cli
