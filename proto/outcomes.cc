// SPDX-License-Identifier: Apache-2.0
#include "proto/outcomes.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/digest.h"
#include "core/encoding.h"
#include "proto/limits.h"
#include "proto/names.h"

namespace vouch {
namespace {

Column column(std::string_view name, ColumnType type, std::string_view null_means = {}) {
  Column result;
  result.name = name;
  result.type = type;
  result.nullable = !null_means.empty();
  result.null_means = null_means;
  return result;
}

std::string join_ids(const std::vector<std::string>& ids) {
  return fmt::format("{}", fmt::join(ids, " "));
}

std::vector<std::string> split_ids(std::string_view text) {
  std::vector<std::string> ids;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    ids.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return ids;
}

json::Value to_row(const Outcome& outcome) {
  return json::Object{
      {"check", outcome.check},
      {"control", outcome.control},
      {"findings", outcome.findings ? json::Value(*outcome.findings) : json::Value()},
      {"message", outcome.message},
      {"outcome", to_string(outcome.outcome)},
      {"violations", outcome.violations},
      {"waived", outcome.waived},
      {"waiver_ids", join_ids(outcome.waiver_ids)}};
}

// The row has the types of outcomes_schema(); its values have still to be checked.
Result<Outcome> from_row(const json::Value& row) {
  Outcome outcome;
  outcome.check = *row.find("check")->if_string();
  outcome.control = *row.find("control")->if_string();
  auto kind = parse_outcome_kind(*row.find("outcome")->if_string());
  if (!kind) return std::move(kind).error();
  outcome.outcome = *kind;
  outcome.message = *row.find("message")->if_string();
  for (const auto& [name, target] :
       {std::pair("violations", &outcome.violations), std::pair("waived", &outcome.waived)}) {
    auto count = parse_integer_cell(*row.find(name));
    if (!count) return std::move(count).error();
    *target = *count;
  }
  if (const auto* digest = row.find("findings")->if_string()) outcome.findings = *digest;
  const auto& ids = *row.find("waiver_ids")->if_string();
  outcome.waiver_ids = split_ids(ids);
  if (join_ids(outcome.waiver_ids) != ids) {
    return Error{Errc::invalid, "waiver_ids: expected ids with one space between"};
  }
  return outcome;
}

}  // namespace

std::string_view to_string(OutcomeKind kind) {
  switch (kind) {
    case OutcomeKind::pass:
      return "pass";
    case OutcomeKind::fail:
      return "fail";
    case OutcomeKind::error:
      return "error";
    case OutcomeKind::not_applicable:
      return "not_applicable";
    case OutcomeKind::waived:
      return "waived";
  }
  return "error";
}

Result<OutcomeKind> parse_outcome_kind(std::string_view text) {
  for (const auto kind : {OutcomeKind::pass, OutcomeKind::fail, OutcomeKind::error,
                          OutcomeKind::not_applicable, OutcomeKind::waived}) {
    if (text == to_string(kind)) return kind;
  }
  return Error{Errc::invalid, "outcome: expected pass, fail, error, not_applicable or waived"};
}

const TableSchema& outcomes_schema() {
  static const TableSchema kOutcomes = {
      .name = "outcomes",
      .title = "What the checks of one run said",
      .key = {"check"},
      .is_volatile = false,
      .capabilities = {},
      .columns = {column("check", ColumnType::text), column("control", ColumnType::text),
                  column("findings", ColumnType::text, "not judged"),
                  column("message", ColumnType::text), column("outcome", ColumnType::text),
                  column("violations", ColumnType::integer), column("waived", ColumnType::integer),
                  column("waiver_ids", ColumnType::text)}};
  return kOutcomes;
}

Status check_outcome(const Outcome& outcome) {
  const auto invalid = [&](std::string_view what) {
    return Error{Errc::invalid, fmt::format("outcome of check \"{}\": {}", outcome.check, what)};
  };
  if (!is_id(outcome.check) || !is_id(outcome.control)) return invalid("not an id");
  if (outcome.message.size() > kMessageBytesMax) return invalid("the message is over 1 KiB");
  if (outcome.violations < 0 || outcome.waived < 0) return invalid("a negative count");
  if (outcome.waived > outcome.violations) return invalid("more waived than violations");
  if (outcome.findings && !is_hex_digest(*outcome.findings)) {
    return invalid("findings is no digest");
  }
  const auto& ids = outcome.waiver_ids;
  const bool plain = std::ranges::all_of(ids, [](const auto& id) { return is_id(id); });
  if (!plain || !std::ranges::is_sorted(ids) || std::ranges::adjacent_find(ids) != ids.end()) {
    return invalid("waiver ids are not sorted ids, each once");
  }
  const bool unjudged =
      outcome.outcome == OutcomeKind::error || outcome.outcome == OutcomeKind::not_applicable;
  if (unjudged) {
    if (outcome.findings || outcome.violations != 0) return invalid("findings, but not judged");
    return Ok{};
  }
  if (!outcome.findings) return invalid("judged, but without findings");
  if ((outcome.violations == 0) != (*outcome.findings == kEmptyDigestHex)) {
    return invalid("violations and findings contradict each other");
  }
  const auto expected = outcome.violations == 0               ? OutcomeKind::pass
                        : outcome.violations > outcome.waived ? OutcomeKind::fail
                                                              : OutcomeKind::waived;
  if (outcome.outcome != expected) {
    return invalid(
        fmt::format("the counts say {}, not {}", to_string(expected), to_string(outcome.outcome)));
  }
  return Ok{};
}

Result<TableBlob> write_outcomes(const std::vector<Outcome>& outcomes) {
  TableBuilder builder(outcomes_schema());
  for (const auto& outcome : outcomes) {
    if (auto checked = check_outcome(outcome); !checked) return std::move(checked).error();
    if (auto added = builder.add(to_row(outcome)); !added) return std::move(added).error();
  }
  return builder.finish();
}

Result<std::vector<Outcome>> read_outcomes(std::string_view blob) {
  auto rows = check_table(outcomes_schema(), blob);
  if (!rows) return std::move(rows).error().in("outcomes");
  std::vector<Outcome> outcomes;
  auto read = for_each_row(blob, [&](const json::Value& row) -> Status {
    auto outcome = from_row(row);
    if (!outcome) return std::move(outcome).error();
    if (auto checked = check_outcome(*outcome); !checked) return checked;
    outcomes.push_back(*std::move(outcome));
    return Ok{};
  });
  if (!read) return std::move(read).error().in("outcomes");
  return outcomes;
}

Result<std::string> write_policy_set(std::vector<PolicySetEntry> entries) {
  std::ranges::sort(entries, {}, &PolicySetEntry::pack);
  std::string text;
  for (const auto& entry : entries) text += fmt::format("{}  {}\n", entry.sha256, entry.pack);
  auto read_back = parse_policy_set(text);
  if (!read_back) return std::move(read_back).error();
  return text;
}

Result<std::vector<PolicySetEntry>> parse_policy_set(std::string_view text) {
  constexpr std::size_t kDigestChars = 64;
  std::vector<PolicySetEntry> entries;
  while (!text.empty()) {
    const auto invalid = [&](std::string_view what) {
      return Error{Errc::invalid, fmt::format("policy set: line {}: {}", entries.size() + 1, what)};
    };
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return invalid("no LF at the end");
    const auto line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.size() < kDigestChars + 2 || line.substr(kDigestChars, 2) != "  ") {
      return invalid("expected <sha256>, two spaces, <pack id>");
    }
    PolicySetEntry entry{std::string(line.substr(kDigestChars + 2)),
                         std::string(line.substr(0, kDigestChars))};
    if (!is_hex_digest(entry.sha256) || !is_id(entry.pack)) {
      return invalid("expected <sha256>, two spaces, <pack id>");
    }
    if (!entries.empty() && entry.pack <= entries.back().pack) {
      return invalid("not sorted by id, or twice");
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace vouch
