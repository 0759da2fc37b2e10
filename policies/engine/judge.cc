// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/judge.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/digest.h"
#include "proto/limits.h"

namespace vouch::policy {
namespace {

constexpr std::string_view kMissing = "missing: ";
constexpr std::string_view kGaps = "gaps: ";

// Cuts at kMessageBytesMax, at the start of a character.
std::string bounded(std::string message) {
  if (message.size() <= kMessageBytesMax) return message;
  std::size_t end = kMessageBytesMax;
  while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xC0) == 0x80) --end;
  message.resize(end);
  return message;
}

Judgement error(std::string message) {
  Judgement judgement;
  judgement.message = bounded(std::move(message));
  return judgement;
}

// "nas" of "backup_jobs@nas/17".
std::string_view instance_of(std::string_view run_or_collector) {
  const auto name = run_or_collector.substr(0, run_or_collector.find('/'));
  const auto at = name.find('@');
  return at == std::string_view::npos ? std::string_view() : name.substr(at + 1);
}

// Inputs that are there when nobody supplies them: nothing waived, nothing registered, no run
// before.
bool empty_if_absent(std::string_view table) {
  return table == "waivers" || table == "registers" || table == "gaps" ||
         table.starts_with("previous_");
}

std::string describe(const std::map<std::string, std::string>& missing) {
  std::vector<std::string> texts;
  for (const auto& [table, reason] : missing) {
    texts.push_back(reason.empty() ? table : fmt::format("{} ({})", table, reason));
  }
  return fmt::format("{}{}", kMissing, fmt::join(texts, ", "));
}

// Drift against nothing would be no drift: a check that reads it needs the baseline of its first
// table, declared or not.
std::string implied_baseline(const Check& check) {
  const bool reads_drift =
      std::find(check.tables.begin(), check.tables.end(), "drift") != check.tables.end();
  return reads_drift ? "baseline_" + check.tables.front() : std::string();
}

bool binds_now(std::string_view sql) {
  return sql.find(":now") != std::string_view::npos;
}

Result<Judgement> to_judgement(const QueryResult& result) {
  std::set<std::string> lines;
  std::size_t bytes = 0;
  for (const auto& row : result.rows) {
    auto line = json::write(row) + "\n";
    if (line.size() > kRowLineBytesMax) return error("too-large: a finding over 1 MiB");
    bytes += line.size();
    lines.insert(std::move(line));
  }
  if (bytes > kBlobBytesMax) return error("too-large: findings over 64 MiB");
  Judgement judgement;
  judgement.kind = lines.empty() ? OutcomeKind::pass : OutcomeKind::fail;
  for (const auto& line : lines) judgement.findings += line;
  judgement.findings_digest = sha256_hex(judgement.findings);
  judgement.violations = static_cast<std::int64_t>(lines.size());
  return judgement;
}

}  // namespace

Result<Judge> Judge::make(const EvaluationRequest& request, const SchemaMap& schemas,
                          std::string columns_digest) {
  Judge judge(request, schemas);
  judge.columns_digest_ = std::move(columns_digest);
  auto read = judge.read_gaps();
  if (!read) return std::move(read).error();
  return judge;
}

std::vector<const TableInput*> Judge::sources(std::string_view table) const {
  std::vector<const TableInput*> found;
  for (const auto* list : {&request_.tables, &request_.inputs}) {
    for (const auto& input : *list) {
      if (input.name == table) found.push_back(&input);
    }
  }
  return found;
}

// A run whose gaps are unknown says nothing for sure: its tables count as missing.
Status Judge::read_gaps() {
  std::set<std::string, std::less<>> runs{""};
  for (const auto& input : request_.inputs) {
    if (!input.run.empty()) runs.insert(input.run);
  }
  for (const auto& run : runs) runs_without_gaps_.emplace(run, "not-found");
  for (const auto* input : sources("gaps")) {
    if (!input->error.empty()) {
      runs_without_gaps_[input->run] = input->error;
      continue;
    }
    runs_without_gaps_.erase(input->run);
    // Cells by name: code, message, object, table_name.
    auto read = scan_rows(gaps_schema(), input->blob, [&](std::span<const Cell> row) -> Status {
      tables_with_gaps_.emplace(std::get<std::string_view>(row[3]));
      return Ok{};
    });
    if (!read) return read;
  }
  return Ok{};
}

// Nothing: the table is there. Else why it is not; may be empty text for "nobody supplied it".
std::string Judge::missing_reason(std::string_view table) const {
  const auto found = sources(table);
  if (found.empty()) return empty_if_absent(table) ? "" : "not-found";
  for (const auto* input : found) {
    if (!input->error.empty()) return input->error;
    const bool is_observed = std::find_if(request_.tables.begin(), request_.tables.end(),
                                          [&](const TableInput& each) { return &each == input; }) !=
                                 request_.tables.end() ||
                             !input->run.empty();
    const auto gaps = runs_without_gaps_.find(input->run);
    if (is_observed && gaps != runs_without_gaps_.end()) {
      return fmt::format("its gaps: {}", gaps->second);
    }
  }
  if (find_schema(schemas_, table) == nullptr) return "columns not declared";
  return {};
}

// Makes the table in the sandbox and loads it, once. What is missing is made empty, so that SQL
// which names it compiles; whoever reads it has been stopped before.
Status Judge::prepare_table(const std::string& table) {
  if (!sandbox_) {
    auto opened = Sandbox::open();
    if (!opened) return std::move(opened).error();
    sandbox_.emplace(*std::move(opened));
  }
  if (sandbox_->has_table(table)) return Ok{};
  const auto* found = find_schema(schemas_, table);
  if (found == nullptr) return Ok{};
  const auto inputs = sources(table);
  const auto instance_of_input = [&](const TableInput& input) {
    return instance_of(input.run.empty() ? std::string_view(request_.collector) : input.run);
  };
  const bool is_own = find_schema(schemas_, table) != built_in_schema(table);
  bool named = false;
  for (const auto* input : inputs) named = named || (is_own && !instance_of_input(*input).empty());

  TableSchema made = *found;
  made.name = table;
  if (named) {
    Column instance;
    instance.name = "instance";
    made.columns.push_back(std::move(instance));
  }
  auto added = sandbox_->add_table(made);
  if (!added) return added;
  TableSchema rows = *found;
  rows.name = table;
  for (const auto* input : inputs) {
    if (!input->error.empty()) continue;
    auto loaded = named ? sandbox_->load(rows, input->blob, instance_of_input(*input))
                        : sandbox_->load(rows, input->blob);
    if (!loaded) return loaded;
  }
  return Ok{};
}

std::string Judge::memo_key(const Check& check) const {
  Sha256 hash;
  const auto add = [&](std::string_view text) {
    hash.update(fmt::format("{}:", text.size()));
    hash.update(text);
  };
  add(check.sql);
  add(check.applies);
  add(json::write(json::Object(check.params.begin(), check.params.end())));
  add(check.tolerates_gaps ? "tolerates" : "");
  add(columns_digest_);
  add(binds_now(check.sql) || binds_now(check.applies) ? request_.now : "");
  const auto baseline = implied_baseline(check);
  add(baseline.empty() ? "" : missing_reason(baseline));
  for (const auto& table : check.tables) {
    add(table);
    add(missing_reason(table));
    add(tables_with_gaps_.contains(table) ? "gaps" : "");
    for (const auto* input : sources(table)) {
      add(instance_of(input->run.empty() ? std::string_view(request_.collector) : input->run));
      add(input->digest);
    }
    add("");
  }
  return hash.finish();
}

// An answer if the check ends here: it does not apply, or nobody can say.
Result<std::optional<Judgement>> Judge::judge_applies(
    const Check& check, const std::map<std::string, std::string>& missing) {
  if (check.applies.empty()) return std::optional<Judgement>();
  auto shape = sandbox_->inspect(check.applies, check.tables);
  if (!shape) {
    return std::optional(
        error(missing.empty() ? "applies: " + shape.error().message : describe(missing)));
  }
  std::map<std::string, std::string> unread;
  std::vector<std::string> with_gaps;
  for (const auto& table : shape->tables) {
    if (const auto it = missing.find(table); it != missing.end()) unread.insert(*it);
    if (tables_with_gaps_.contains(table)) with_gaps.push_back(table);
  }
  if (!unread.empty()) return std::optional(error(describe(unread)));
  auto rows = sandbox_->query(check.applies, check.tables, check.params, request_.now);
  if (!rows) return std::optional(error("applies: " + rows.error().message));
  if (!rows->rows.empty()) return std::optional<Judgement>();
  if (!with_gaps.empty() && !check.tolerates_gaps) {
    return std::optional(error(fmt::format("{}{}", kGaps, fmt::join(with_gaps, ", "))));
  }
  Judgement judgement;
  judgement.kind = OutcomeKind::not_applicable;
  return std::optional(std::move(judgement));
}

Result<Judgement> Judge::judge_sql(const Check& check) {
  auto rows = sandbox_->query(check.sql, check.tables, check.params, request_.now);
  if (!rows) {
    const bool large = rows.error().code == Errc::too_large;
    return error((large ? "too-large: " : "sql: ") + rows.error().message);
  }
  return to_judgement(*rows);
}

Result<Judgement> Judge::judge(const Check& check) {
  std::map<std::string, std::string> missing;
  std::vector<std::string> with_gaps;
  if (const auto baseline = implied_baseline(check); !baseline.empty()) {
    auto reason = missing_reason(baseline);
    if (!reason.empty()) missing.emplace(baseline, std::move(reason));
  }
  for (const auto& table : check.tables) {
    if (auto reason = missing_reason(table); !reason.empty()) missing.emplace(table, reason);
    if (tables_with_gaps_.contains(table)) with_gaps.push_back(table);
    // Nothing is loaded for a check that cannot be judged anyhow.
    if (!missing.empty() && check.applies.empty()) continue;
    auto prepared = prepare_table(table);
    if (!prepared) return std::move(prepared).error();
  }
  std::sort(with_gaps.begin(), with_gaps.end());
  auto applies = judge_applies(check, missing);
  if (!applies) return std::move(applies).error();
  if (*applies) return **std::move(applies);
  if (!missing.empty()) return error(describe(missing));

  auto judgement = judge_sql(check);
  if (!judgement || with_gaps.empty() || judgement->kind == OutcomeKind::error) return judgement;
  auto message = fmt::format("{}{}", kGaps, fmt::join(with_gaps, ", "));
  if (judgement->kind == OutcomeKind::pass && !check.tolerates_gaps) return error(message);
  judgement->message = bounded(std::move(message));
  return judgement;
}

}  // namespace vouch::policy
