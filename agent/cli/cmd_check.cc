// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ostream>
#include <set>

#include "agent/cli/check_report.h"
#include "agent/cli/command.h"
#include "agent/cli/live.h"
#include "agent/cli/places.h"
#include "agent/vouchd/direct_runner.h"
#include "core/file.h"
#include "policies/engine/sandbox.h"
#include "policies/engine/table.h"
#include "policies/engine/waiver.h"

namespace vouch::cli {
namespace {

constexpr std::size_t kWaiversBytesMax = 4u << 20;

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

// The waivers table of the configuration; empty if there is none.
Result<std::string> waivers_blob(const Places& places) {
  if (places.config.waivers.empty()) return std::string();
  auto text = read_file(places.config.waivers, kWaiversBytesMax);
  if (!text) return std::move(text).error();
  auto waivers = policy::load_waivers(*text, places.config.waivers);
  if (!waivers) return std::move(waivers).error();
  return policy::write_waivers(*waivers);
}

bool is_wanted(const policy::Check& check, const std::vector<std::string>& names) {
  return names.empty() || std::any_of(names.begin(), names.end(), [&](const auto& name) {
           return name == check.id || name == check.control ||
                  (!check.ref.empty() && name == check.ref);
         });
}

// The tables that the wanted checks read. A name that is no check, control or ref is an error.
Result<std::set<std::string, std::less<>>> tables_of(const policy::PackSet& packs,
                                                     const std::vector<std::string>& names) {
  for (const auto& name : names) {
    const auto& checks = packs.checks();
    const bool known = std::any_of(checks.begin(), checks.end(),
                                   [&](const auto* check) { return is_wanted(*check, {name}); });
    if (!known) {
      return Error{Errc::not_found, fmt::format("no check, control or ref \"{}\" in the packs; "
                                                "`vouch check --all` lists them",
                                                name)};
    }
  }
  std::set<std::string, std::less<>> tables;
  for (const auto* check : packs.checks()) {
    if (is_wanted(*check, names)) tables.insert(check->tables.begin(), check->tables.end());
  }
  return tables;
}

// The wanted outcomes, each check once: instances of a collector judge the union of their tables.
void take_outcomes(std::vector<Outcome> outcomes, const std::vector<std::string>& names,
                   CheckReport& report) {
  std::set<std::string> judged;
  for (auto& outcome : outcomes) {
    const auto* check = report.packs->find_check(outcome.check);
    if (check == nullptr || !is_wanted(*check, names)) continue;
    if (judged.insert(outcome.check).second) report.outcomes.push_back(std::move(outcome));
  }
  for (const auto* check : report.packs->checks()) {
    if (is_wanted(*check, names) && !judged.contains(check->id)) report.not_judged.push_back(check);
  }
}

// What the query of each check with findings calls its columns, in its order. A check that cannot
// be compiled here has no findings.
std::map<std::string, std::vector<std::string>> finding_columns(
    const CheckReport& report, const std::vector<agent::Collector>& collectors) {
  std::map<std::string, std::vector<std::string>> columns;
  policy::Catalog catalog;
  for (const auto& collector : collectors) {
    for (const auto& table : collector.manifest.tables) catalog.tables[table.name] = table;
  }
  for (const auto& outcome : report.outcomes) {
    if (outcome.violations == 0) continue;
    const auto& check = *report.packs->find_check(outcome.check);
    auto sandbox = policy::Sandbox::open();
    for (const auto& name : check.tables) {
      const auto* schema = policy::find_schema(catalog.tables, name);
      if (!sandbox || schema == nullptr) continue;
      auto made = *schema;
      made.name = name;
      if (!sandbox->add_table(made)) continue;
    }
    if (!sandbox) continue;
    auto shape = sandbox->inspect(check.sql, check.tables);
    if (shape) columns.emplace(check.id, shape->result_columns);
  }
  return columns;
}

// The scorecard of a framework that --framework names.
Result<policy::Scorecard> scorecard_of(const Places& places, const std::string& framework_id,
                                       const policy::PackSet& packs,
                                       const std::vector<Outcome>& outcomes, WallSeconds now) {
  auto library = load_frameworks(places);
  if (!library) return std::move(library).error();
  const auto* framework = library->framework(framework_id);
  const auto* mapping = library->mapping(framework_id);
  if (framework == nullptr || mapping == nullptr) {
    std::string known;
    for (const auto& each : library->frameworks) known += (known.empty() ? "" : ", ") + each.id;
    return Error{Errc::not_found,
                 fmt::format("no framework \"{}\"; there are {}", framework_id, known)};
  }
  // On the host itself no waiver is more than claimed: the store has the approvals.
  std::set<std::string> claimed;
  for (const auto& outcome : outcomes) {
    claimed.insert(outcome.waiver_ids.begin(), outcome.waiver_ids.end());
  }
  return policy::make_scorecard(*framework, *mapping, packs, outcomes, {},
                                {claimed.begin(), claimed.end()}, format_second(now));
}

// Who is not root sees less: say so before the reader wonders.
void note_privilege(const CheckReport& report, const Output& output) {
  const auto refused =
      std::count_if(report.outcomes.begin(), report.outcomes.end(), [](const Outcome& outcome) {
        return outcome.outcome == OutcomeKind::error &&
               outcome.message.find("permission-denied") != std::string::npos;
      });
  if (refused > 0 && ::geteuid() != 0) {
    output.note(fmt::format("{} checks need tables that only root may read: try sudo", refused));
  }
}

}  // namespace

int run_check(const Arguments& arguments, Output& output) {
  auto places = find_places(arguments);
  if (!places) return fail_configuration(places.error(), output);
  auto packs = load_packs(*places);
  if (!packs) return output.fail(packs.error());
  auto tables = tables_of(*packs, arguments.positional);
  if (!tables) return output.fail(tables.error());
  auto waivers = waivers_blob(*places);
  if (!waivers) return output.fail(waivers.error());
  auto registers = policy::load_registers(places->config.registers);
  if (!registers) return output.fail(registers.error());
  auto collectors = load_collectors(*places);
  if (!collectors) return output.fail(collectors.error());

  const SystemClock clock;
  agent::DirectRunner runner(clock);
  CheckReport report;
  report.root = arguments.value("--root").value_or("/");
  report.host = host_name();
  report.all = arguments.has("--all");
  const auto live = collect_now(*collectors, {report.root, *tables}, runner, clock);
  report.live = &live;
  // The judge keeps a set of its own; this one is for titles and references.
  auto judged_packs = load_packs(*places);
  if (!judged_packs) return output.fail(judged_packs.error());
  auto judged = judge_now(live, *collectors, *std::move(judged_packs), *waivers, *registers);
  if (!judged) return output.fail(judged.error());
  report.packs = &*packs;
  report.findings = std::move(judged->findings);
  take_outcomes(std::move(judged->outcomes), arguments.positional, report);
  report.columns = finding_columns(report, *collectors);
  for (const auto& framework : arguments.values("--framework")) {
    auto card = scorecard_of(*places, framework, *packs, report.outcomes, live.now);
    if (!card) return output.fail(card.error());
    report.scorecards.push_back(*std::move(card));
  }
  if (output.json) {
    output.write_json(report_as_json(report));
  } else {
    output.out << report_as_text(report, output.style);
  }
  note_privilege(report, output);
  return report_exit_code(report);
}

}  // namespace vouch::cli
