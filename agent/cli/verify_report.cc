// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/verify_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "agent/cli/rows.h"

namespace vouch::cli {
namespace {

using policy::ControlSlots;

constexpr std::size_t kHostRowsMax = 100;
constexpr std::size_t kChangeRowsMax = 50;
constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 86400;
constexpr WallMs kMsPerSecond = 1000;

// "36 s", "90 min", "1 d 2 h": two units at most.
std::string span(std::int64_t seconds) {
  if (seconds < 2 * kMinute) return fmt::format("{} s", seconds);
  if (seconds < 2 * kHour) return fmt::format("{} min", seconds / kMinute);
  const auto days = seconds / kDay;
  const auto hours = seconds % kDay / kHour;
  const auto minutes = seconds % kHour / kMinute;
  if (days == 0) {
    return minutes == 0 ? fmt::format("{} h", hours) : fmt::format("{} h {} min", hours, minutes);
  }
  return hours == 0 ? fmt::format("{} d", days) : fmt::format("{} d {} h", days, hours);
}

// With the day on which it began, if it is long enough to be asked about; the JSON form has the
// moment.
std::string gap(const ControlSlots& slots) {
  if (slots.longest_gap_ms < kMsPerSecond) return "-";
  if (slots.longest_gap_ms < kMinute * kMsPerSecond) {
    return span(slots.longest_gap_ms / kMsPerSecond);
  }
  return fmt::format("{} ({})", span(slots.longest_gap_ms / kMsPerSecond),
                     format_instant(slots.longest_gap_from).substr(0, 10));
}

// One control over all hosts: sums, the longest gap of any.
struct Row {
  ControlSlots sum;
  std::int64_t hosts = 0;
  std::int64_t operated = 0;  // Hosts.

  [[nodiscard]] bool is_whole() const { return operated == hosts; }
};

std::vector<Row> by_control(const policy::SlotReport& report) {
  std::map<std::string_view, Row> rows;
  for (const auto& host : report.hosts) {
    for (const auto& slots : host.controls) {
      auto& [sum, hosts, operated] = rows[slots.control];
      sum.control = slots.control;
      sum.frequency_s = slots.frequency_s;
      sum.required += slots.required;
      sum.judged += slots.judged;
      sum.errors += slots.errors;
      sum.suppressed += slots.suppressed;
      sum.changes += slots.changes;
      if (slots.longest_gap_ms > sum.longest_gap_ms) {
        sum.longest_gap_ms = slots.longest_gap_ms;
        sum.longest_gap_from = slots.longest_gap_from;
      }
      ++hosts;
      operated += slots.operated() ? 1 : 0;
    }
  }
  std::vector<Row> sorted;
  for (auto& [control, row] : rows) sorted.push_back(std::move(row));
  std::ranges::stable_sort(sorted, {}, &Row::is_whole);  // What did not operate comes first.
  return sorted;
}

std::vector<std::string> cells(const ControlSlots& slots) {
  return {fmt::format("{}/{}", slots.judged, slots.required), gap(slots),
          fmt::format("{}", slots.errors), fmt::format("{}", slots.suppressed),
          fmt::format("{}", slots.changes)};
}

std::string period_text(const std::optional<verify::Period>& period) {
  if (!period) return "what each chain covers (--from and --to name a period)";
  return fmt::format("{}Z…{}Z", format_instant(period->from).substr(0, 16),
                     format_instant(period->to).substr(0, 16));
}

std::string controls_table(const std::vector<Row>& rows, bool many_hosts,
                           const TerminalStyle& style) {
  TextTable table(
      {"operated", "control", "every", "judged", "longest gap", "errors", "suppressed", "changes"});
  for (const auto& row : rows) {
    const auto word = row.is_whole() ? std::string("yes")
                      : many_hosts   ? fmt::format("NO: {} of {} hosts", row.operated, row.hosts)
                                     : std::string("NO");
    std::vector<std::string> line{word, row.sum.control, span(row.sum.frequency_s)};
    for (auto& cell : cells(row.sum)) line.push_back(std::move(cell));
    table.add(std::move(line), row.is_whole() ? Colour::none : Colour::yellow);
  }
  return table.render(style);
}

// The exceptions, host by host.
std::string open_slots_table(const policy::SlotReport& report, const TerminalStyle& style) {
  TextTable table({"host", "control", "judged", "longest gap", "errors", "suppressed", "changes"});
  std::size_t rows = 0;
  for (const auto& host : report.hosts) {
    for (const auto& slots : host.controls) {
      if (slots.operated() || ++rows > kHostRowsMax) continue;
      std::vector<std::string> line{host.name.empty() ? host.agent : host.name, slots.control};
      for (auto& cell : cells(slots)) line.push_back(std::move(cell));
      table.add(std::move(line));
    }
  }
  if (rows == 0) return "";
  auto text = "\nnot judged in every slot\n" + table.render(style);
  if (rows > kHostRowsMax) {
    text += fmt::format("and {} more (--format json has all)\n", rows - kHostRowsMax);
  }
  return text;
}

std::string changes_table(const policy::SlotReport& report, const TerminalStyle& style) {
  if (report.changes.empty()) return "";
  TextTable table({"from", "times", "of", "change"});
  for (std::size_t i = 0; i < std::min(report.changes.size(), kChangeRowsMax); ++i) {
    const auto& change = report.changes[i];
    table.add({format_instant(change.first_at).substr(0, 16) + "Z", fmt::format("{}", change.times),
               change.of, fmt::format("{}: {}", to_string(change.kind), change.what)});
  }
  auto text = "\nchanges inside the period\n" + table.render(style);
  const auto hidden = static_cast<std::int64_t>(report.changes.size()) + report.changes_left_out -
                      static_cast<std::int64_t>(kChangeRowsMax);
  if (hidden > 0) text += fmt::format("and {} more (--format json)\n", hidden);
  return text;
}

}  // namespace

std::string slots_as_text(const policy::SlotReport& report, const TerminalStyle& style) {
  const auto rows = by_control(report);
  const auto operated = std::ranges::count_if(rows, [](const Row& row) { return row.is_whole(); });
  auto text = fmt::format("\n{} of {} controls operated over {}", operated, rows.size(),
                          period_text(report.period));
  text +=
      report.hosts.size() == 1 ? "\n" : fmt::format(", on all of {} hosts\n", report.hosts.size());
  text += wrapped(
      "Judged are slots in which each check of the control came out pass, fail, waived or not "
      "applicable, of those that the frequency in its pack requires.",
      "", style);
  if (!rows.empty()) text += controls_table(rows, report.hosts.size() > 1, style);
  if (report.hosts.size() > 1) text += open_slots_table(report, style);
  text += changes_table(report, style);
  for (const auto& host : report.hosts) {
    if (!host.policy_unknown) continue;
    text += fmt::format("{}: NOT EVERY POLICY IS KNOWN: what it required cannot be said\n",
                        printable(host.name.empty() ? host.agent : host.name));
  }
  return text;
}

}  // namespace vouch::cli
