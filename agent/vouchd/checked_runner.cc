// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/checked_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <variant>

#include "core/capabilities.h"

namespace vouch::agent {
namespace {

// How a child that was not stopped for what it printed came to a bad end.
std::optional<RunViolation> judge_exit(const Exit& exit) {
  const auto violation = [](Violation reason, std::string message) {
    return RunViolation{reason, 0, std::move(message)};
  };
  switch (exit.how) {
    case Exit::How::deadline:
      return violation(Violation::deadline, "killed at its deadline");
    case Exit::How::output_too_large:
      return violation(Violation::output_too_large, "more than 128 MiB of output");
    case Exit::How::cancelled:
      return violation(Violation::signal, "stopped with the agent");
    case Exit::How::signalled: {
      const bool limit = exit.code == SIGXCPU || exit.code == SIGXFSZ;
      return violation(limit ? Violation::limit : Violation::signal,
                       fmt::format("ended by signal {}", exit.code));
    }
    case Exit::How::exited:
      break;
  }
  if (exit.code == 0) return std::nullopt;
  return violation(Violation::exit, fmt::format("exit status {}", exit.code));
}

// The answer as the record will have it: tables that were not asked for are errors.
void add_ungranted(Snapshot& snapshot, const std::vector<std::string>& tables) {
  for (const std::string& table : tables) {
    TableAnswer answer;
    answer.name = table;
    answer.kind = TableAnswer::Kind::error;
    answer.error_code = "permission-denied";
    answer.error_message = "only root, or an agent with its capabilities, may read this";
    snapshot.tables.push_back(std::move(answer));
  }
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// A request as it is put to the collector, and the tables that it is not asked for.
struct AskedRun {
  RunRequest request;
  std::vector<std::string> withheld;
};

AskedRun ask(const Collector& collector, const RunRequest& request, std::uint64_t capabilities,
             const std::string& cache_root) {
  AskedRun asked{request, {}};
  for (const std::string& table : ungranted_tables(collector.manifest, capabilities)) {
    if (contains(request.tables, table)) asked.withheld.push_back(table);
  }
  std::erase_if(asked.request.tables,
                [&](const std::string& table) { return contains(asked.withheld, table); });
  if (collector.manifest.needs_cache_dir && !cache_root.empty()) {
    asked.request.cache_dir = cache_root + "/" + collector.name;
  }
  return asked;
}

}  // namespace

std::vector<std::string> ungranted_tables(const Manifest& manifest, std::uint64_t capabilities) {
  std::vector<std::string> tables;
  for (const TableSchema& table : manifest.tables) {
    const bool granted =
        std::all_of(table.capabilities.begin(), table.capabilities.end(),
                    [&](const std::string& name) { return has_capability(capabilities, name); });
    if (!granted) tables.push_back(table.name);
  }
  return tables;
}

RunReport CheckedRunner::run(const Collector& collector, const RunRequest& request) {
  RunReport report;
  report.collector = {collector.name, collector.manifest.version, collector.digest};
  report.started = clock_.wall_ms();
  const std::int64_t started_us = clock_.monotonic_us();
  const auto finish = [&](std::variant<Snapshot, RunViolation> result) {
    report.finished = clock_.wall_ms();
    report.duration_ms = (clock_.monotonic_us() - started_us) / 1000;
    report.result = std::move(result);
    return report;
  };
  const auto not_started = [&](std::string message) {
    report.was_started = false;
    return finish(RunViolation{Violation::exit, 0, std::move(message)});
  };

  // The digest on record is of the file that runs; another one's manifest may be another one too.
  digests_.learn(collector.program, {collector.mark, collector.digest});
  const auto file = digests_.of(collector.program);
  if (!file) return not_started(file.error().message);
  if (file->digest != collector.digest) {
    return not_started("the program was replaced since the configuration was read: reload vouchd");
  }
  const auto granted = grants(collector.name);
  if (!granted) return not_started(granted.error().message);

  const AskedRun asked = ask(collector, request, granted->capabilities, granted->cache_root);
  OutputParser parser(collector.manifest, asked.request);
  bool refused = false;
  const auto exit = start(
      {collector.name, collector.program, file->mark, false, write_request(asked.request),
       std::chrono::milliseconds(asked.request.deadline_ms), asked.request.cache_dir.value_or("")},
      [&](std::string_view bytes) {
        refused = !parser.feed(bytes);
        return !refused;
      });
  if (!exit) return not_started(exit.error().message);
  if (const auto bad_end = refused ? std::nullopt : judge_exit(*exit)) return finish(*bad_end);
  auto result = parser.finish();
  if (auto* snapshot = std::get_if<Snapshot>(&result)) add_ungranted(*snapshot, asked.withheld);
  return finish(std::move(result));
}

Result<std::string> CheckedRunner::describe(const std::string& name, const std::string& program,
                                            const std::string& input) {
  const auto file = digests_.of(program);
  if (!file) return file.error();
  if (const auto granted = grants(name); !granted) return granted.error();
  std::string printed;
  const auto exit = start({name, program, file->mark, true, input, kDescribeDeadline, ""},
                          [&](std::string_view bytes) {
                            printed += bytes;
                            return printed.size() <= kManifestBytesMax;
                          });
  if (!exit) return exit.error();
  if (exit->how != Exit::How::exited || exit->code != 0) {
    return Error{Errc::tool_failed, program + " --describe failed: is it a collector?"};
  }
  return printed;
}

}  // namespace vouch::agent
