// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/check_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <set>

#include "agent/cli/check_hints.h"
#include "agent/cli/command.h"
#include "agent/cli/rows.h"
#include "core/clock.h"
#include "policies/engine/evaluate.h"

namespace vouch::cli {
namespace {

constexpr std::size_t kFindingsShownMax = 5;

Colour colour_of(OutcomeKind kind) {
  switch (kind) {
    case OutcomeKind::pass:
      return Colour::green;
    case OutcomeKind::fail:
      return Colour::red;
    case OutcomeKind::error:
    case OutcomeKind::waived:
      return Colour::yellow;
    case OutcomeKind::not_applicable:
      return Colour::dim;
  }
  return Colour::none;
}

std::string_view word_of(OutcomeKind kind) {
  return kind == OutcomeKind::not_applicable ? "n/a" : to_string(kind);
}

// Failures first, the gravest first; then what could not be judged; then the rest.
std::vector<const Outcome*> by_weight(const CheckReport& report) {
  constexpr OutcomeKind kOrder[] = {OutcomeKind::fail, OutcomeKind::error, OutcomeKind::waived,
                                    OutcomeKind::pass, OutcomeKind::not_applicable};
  std::vector<const Outcome*> sorted;
  for (const auto& outcome : report.outcomes) sorted.push_back(&outcome);
  const auto rank = [&](const Outcome* outcome) {
    const auto at = std::find(std::begin(kOrder), std::end(kOrder), outcome->outcome);
    const auto* check = report.packs->find_check(outcome->check);
    return std::pair(at - std::begin(kOrder), -static_cast<int>(check->severity));
  };
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const auto* a, const auto* b) { return rank(a) < rank(b); });
  return sorted;
}

std::string outcomes_table(const CheckReport& report, const TerminalStyle& style) {
  TextTable table({"outcome", "severity", "check", "ref", "rows", "what"});
  for (const auto* outcome : by_weight(report)) {
    const bool quiet =
        outcome->outcome == OutcomeKind::pass || outcome->outcome == OutcomeKind::not_applicable;
    if (quiet && !report.all) continue;
    const auto& check = *report.packs->find_check(outcome->check);
    const bool judged = outcome->findings && outcome->violations > 0;
    const auto rows = outcome->waived > 0
                          ? fmt::format("{} ({} waived)", outcome->violations, outcome->waived)
                          : std::to_string(outcome->violations);
    const auto what = outcome->outcome == OutcomeKind::error ? outcome->message : check.title;
    table.add({std::string(word_of(outcome->outcome)), std::string(to_string(check.severity)),
               check.id, check.ref, judged ? rows : "", what},
              colour_of(outcome->outcome));
  }
  return table.empty() ? "" : table.render(style);
}

std::string findings_text(const CheckReport& report, const TerminalStyle& style) {
  std::string text;
  const auto rows_max = report.all ? std::numeric_limits<std::size_t>::max() : kFindingsShownMax;
  auto narrow = style;
  narrow.columns = style.columns > 22 ? style.columns - 2 : 20;
  narrow.colour = false;  // indented() lets no escape sequence through, not even ours.
  for (const auto* outcome : by_weight(report)) {
    if (!outcome->findings || outcome->violations == 0) continue;
    const auto& check = *report.packs->find_check(outcome->check);
    const auto rows = read_rows(report.findings.at(*outcome->findings));
    text += fmt::format("\n{}{}: {}\n", coloured(check.id, colour_of(outcome->outcome), style),
                        check.ref.empty() ? "" : " (" + check.ref + ")", printable(check.title));
    const auto columns = report.columns.find(check.id);
    if (rows) {
      const auto& order =
          columns == report.columns.end() ? std::vector<std::string>() : columns->second;
      text += indented(rows_as_text(*rows, order, rows_max, narrow), "  ");
    }
    text += wrapped("To do: " + check.remediation, "  ", style);
  }
  return text;
}

policy::OutcomeCounts count(const std::vector<Outcome>& outcomes) {
  policy::OutcomeCounts counts;
  for (const auto& outcome : outcomes) {
    counts.pass += outcome.outcome == OutcomeKind::pass ? 1 : 0;
    counts.fail += outcome.outcome == OutcomeKind::fail ? 1 : 0;
    counts.error += outcome.outcome == OutcomeKind::error ? 1 : 0;
    counts.waived += outcome.outcome == OutcomeKind::waived ? 1 : 0;
    counts.not_applicable += outcome.outcome == OutcomeKind::not_applicable ? 1 : 0;
    counts.claimed += outcome.waiver_ids.empty() ? 0 : 1;
  }
  return counts;
}

std::string summary(const CheckReport& report, const TerminalStyle& style) {
  const auto counts = count(report.outcomes);
  const int code = report_exit_code(report);
  const auto verdict = code == kExitPass   ? coloured("PASS", Colour::green, style)
                       : code == kExitFail ? coloured("FAIL", Colour::red, style)
                                           : coloured("COULD NOT JUDGE", Colour::yellow, style);
  auto text = fmt::format(
      "\n{}  {} {}: {} pass, {} fail, {} could not be judged, {} not applicable, {} waived\n",
      verdict, report.outcomes.size(), report.outcomes.size() == 1 ? "check" : "checks",
      counts.pass, counts.fail, counts.error, counts.not_applicable, counts.waived);
  if (!report.not_judged.empty()) {
    std::set<std::string_view> tables;
    for (const auto* check : report.not_judged) tables.insert(check->tables.front());
    text += wrapped(fmt::format("{} checks were not judged: no collector here has the tables {}",
                                report.not_judged.size(), fmt::join(tables, ", ")),
                    "", style);
  }
  if (counts.claimed > 0) {
    text += fmt::format(
        "{} rest on waivers made on this host: claimed, until the store has their "
        "approval; scores count them as failures\n",
        counts.claimed);
  }
  return text;
}

std::string counts_text(const policy::OutcomeCounts& counts) {
  std::string text;
  const auto add = [&](std::int64_t number, std::string_view word) {
    if (number > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", number, word);
  };
  add(counts.fail, "fail");
  add(counts.error, "error");
  add(counts.waived, "waived");
  add(counts.pass, "pass");
  add(counts.not_applicable, "n/a");
  add(counts.not_judged, "not judged");
  return text;
}

}  // namespace

int report_exit_code(const CheckReport& report) {
  const auto counts = count(report.outcomes);
  if (counts.fail > 0) return kExitFail;
  const bool open = counts.error > 0 || !report.not_judged.empty() || report.outcomes.empty();
  return open ? kExitNotJudged : kExitPass;
}

std::string scorecard_as_text(const policy::Scorecard& card, bool all, const TerminalStyle& style) {
  TextTable table({"criterion", "coverage", "checks", "title"});
  for (const auto& row : card.rows) {
    const bool nothing = row.coverage == policy::Coverage::gap && row.checks.empty();
    if (nothing && !all) continue;
    const bool bad = row.counts.fail > 0;
    const bool open = row.coverage == policy::Coverage::gap;
    table.add({row.criterion.id, std::string(to_string(row.coverage)), counts_text(row.counts),
               row.criterion.title},
              bad    ? Colour::red
              : open ? Colour::yellow
                     : Colour::none);
  }
  auto text = fmt::format("{}\n", coloured(card.title, Colour::bold, style));
  if (!table.empty()) text += table.render(style);
  return text + fmt::format(
                    "{} criteria: {} tested in part on this host, {} attached, {} not "
                    "applicable, {} gaps{}\n",
                    card.rows.size(), card.tested_in_part, card.attached, card.not_applicable,
                    card.gaps, all ? "" : " (--all lists them; most need documents, not checks)");
}

std::string report_as_text(const CheckReport& report, const TerminalStyle& style) {
  std::string text;
  for (const auto& run : report.live->runs) {
    if (!run.violation) continue;
    text += fmt::format("{} collector {} failed: {} ({})\n", coloured("!", Colour::red, style),
                        run.collector->name, to_string(run.violation->reason),
                        printable(run.violation->message));
  }
  text += outcomes_table(report, style);
  text += findings_text(report, style);
  text += hints_as_text(report.outcomes, style);
  for (const auto& card : report.scorecards) {
    text += "\n" + scorecard_as_text(card, report.all, style);
  }
  return text + summary(report, style);
}

json::Value report_as_json(const CheckReport& report) {
  json::Array outcomes;
  for (const auto& outcome : report.outcomes) {
    auto value = policy::to_json(*report.packs->find_check(outcome.check), outcome);
    if (outcome.findings) {
      const auto rows = read_rows(report.findings.at(*outcome.findings));
      if (rows) value.if_object()->emplace("rows", rows_as_json(*rows));
    }
    outcomes.push_back(std::move(value));
  }
  json::Array not_judged;
  for (const auto* check : report.not_judged) {
    json::Object object{{"check", check->id}, {"table", check->tables.front()}};
    if (!check->ref.empty()) object.emplace("ref", check->ref);
    not_judged.emplace_back(std::move(object));
  }
  json::Array collectors;
  for (const auto& run : report.live->runs) {
    json::Object object{{"name", run.collector->name},
                        {"version", run.ran.version},
                        {"digest", run.ran.digest},
                        {"outcome", run.violation ? "run-failed" : "observation"}};
    if (run.violation) object.emplace("reason", to_string(run.violation->reason));
    collectors.emplace_back(std::move(object));
  }
  const int code = report_exit_code(report);
  json::Object object{{"host", report.host},
                      {"root", report.root},
                      {"now", format_second(report.live->now)},
                      {"engine", policy::engine_string()},
                      {"verdict", code == kExitPass   ? "pass"
                                  : code == kExitFail ? "fail"
                                                      : "could_not_judge"},
                      {"collectors", std::move(collectors)},
                      {"outcomes", std::move(outcomes)},
                      {"not_judged", std::move(not_judged)}};
  json::Array cards;
  for (const auto& card : report.scorecards) cards.push_back(policy::to_json(card));
  if (!cards.empty()) object.emplace("scorecards", std::move(cards));
  return object;
}

}  // namespace vouch::cli
