// SPDX-License-Identifier: Apache-2.0
// OutputParser: the reading half of proto/collector_protocol.h.
#include <fmt/format.h>

#include <unordered_map>
#include <utility>

#include "proto/collector_protocol.h"
#include "proto/limits.h"
#include "proto/line_fault.h"
#include "proto/names.h"

namespace vouch {
namespace {

constexpr std::size_t kLogMessageBytesMax = 1 * kKiB;

// One requested table, while the output is read.
struct Table {
  enum class Phase { unanswered, open, closed, unchanged, error };

  explicit Table(const TableSchema& table_schema)
      : builder(table_schema), is_gaps(table_schema.name == gaps_schema().name) {}

  Phase phase = Phase::unanswered;
  TableBuilder builder;
  std::int64_t rows_printed = 0;
  bool is_gaps;
  bool too_large = false;  // It outgrew a blob: its rows are counted, not kept.
  std::string error_code;
  std::string error_message;
  std::optional<std::string> cache_token;
};

Violation violation_of(RowFault fault) {
  switch (fault) {
    case RowFault::undeclared:
      return Violation::undeclared;
    case RowFault::wrong_type:
      return Violation::wrong_type;
    case RowFault::duplicate_key:
      return Violation::duplicate_key;
    case RowFault::too_many_rows:
      return Violation::output_too_large;
    case RowFault::too_large:
      return Violation::output_too_large;
  }
  return Violation::protocol;
}

}  // namespace

struct OutputParser::State {
  State(Manifest manifest_, RunRequest request_)
      : manifest(std::move(manifest_)), request(std::move(request_)) {
    // A table that nobody declared cannot be answered, so it is not waited for.
    std::erase_if(request.tables, [&](const auto& name) { return !manifest.find(name); });
    for (const auto& name : request.tables) tables.emplace(name, Table(*manifest.find(name)));
  }

  bool refuse(Violation reason, std::string_view what) {
    if (!violation) {
      violation = RunViolation{reason, line_number, fmt::format("line {}: {}", line_number, what)};
    }
    return false;
  }

  bool take_line(std::string_view line);
  bool take_member(std::string_view kind, const json::Value& value);
  bool take_header(const json::Value& value);
  bool take_row(const json::Value& value);
  bool take_unchanged(const json::Value& value);
  bool take_cache(const json::Value& value);
  bool take_log(const json::Value& value);
  bool take_error(const json::Value& value);
  bool take_end(const json::Value& value);

  Table* requested(const json::Value& body);  // By its member "table"; refuses what is not.
  bool check_counts(const json::Object& rows, std::int64_t unchanged, std::int64_t errors);
  bool is_known_table(const json::Value& gap_row);
  void close_current();
  Snapshot snapshot();

  Manifest manifest;
  RunRequest request;
  std::unordered_map<std::string, Table> tables;
  Table* current = nullptr;
  std::string pending;  // The beginning of a line.
  std::size_t bytes_read = 0;
  std::size_t bytes_kept = 0;  // Of the tables closed so far.
  std::int64_t line_number = 1;
  bool ended = false;
  std::optional<RunViolation> violation;
  std::vector<LogLine> log;
  std::int64_t log_lines_left_out = 0;
};

bool OutputParser::State::take_line(std::string_view line) {
  if (ended) return refuse(Violation::after_end, "bytes after the end line");
  if (has_control_byte(line)) return refuse(classify_bad_line(line), "a control byte");
  const auto value = json::parse(line);
  if (!value) return refuse(classify_bad_line(line), "not a strict JSON text");
  const auto* members = value->if_object();
  if (!members || members->size() != 1) {
    return refuse(Violation::protocol, "expected an object of exactly one member");
  }
  const auto& [kind, body] = *members->begin();
  return take_member(kind, body);
}

bool OutputParser::State::take_member(std::string_view kind, const json::Value& body) {
  if (kind == "row") return take_row(body);
  if (kind == "table") return take_header(body);
  if (kind == "unchanged") return take_unchanged(body);
  if (kind == "cache") return take_cache(body);
  if (kind == "log") return take_log(body);
  if (kind == "error") return take_error(body);
  if (kind == "end") return take_end(body);
  return refuse(Violation::protocol, "a line of unknown kind");
}

Table* OutputParser::State::requested(const json::Value& body) {
  const auto* name = body.if_string();
  if (!name) {
    const auto* member = body.find("table");
    name = member ? member->if_string() : nullptr;
  }
  if (!name) {
    refuse(Violation::protocol, "no table is named");
    return nullptr;
  }
  const auto found = tables.find(*name);
  if (found == tables.end()) {
    refuse(Violation::undeclared, "a table that was not requested");
    return nullptr;
  }
  return &found->second;
}

// Rows that no longer count against the table in hand still count against the bundle.
void OutputParser::State::close_current() {
  if (current && current->phase == Table::Phase::open) {
    current->phase = Table::Phase::closed;
    bytes_kept += current->builder.bytes();
  }
  current = nullptr;
}

bool OutputParser::State::take_header(const json::Value& body) {
  if (!body.if_string()) return refuse(Violation::protocol, "\"table\" names no table");
  auto* table = requested(body);
  if (!table) return false;
  if (table->phase != Table::Phase::unanswered) {
    return refuse(Violation::protocol, "a table is answered twice");
  }
  close_current();
  table->phase = Table::Phase::open;
  current = table;
  return true;
}

// A gap that names a table which nobody has would be lost in silence.
bool OutputParser::State::is_known_table(const json::Value& gap_row) {
  const auto* name = gap_row.find("table_name");
  return !name || !name->if_string() || manifest.find(*name->if_string()) != nullptr;
}

bool OutputParser::State::take_row(const json::Value& row) {
  if (!current) return refuse(Violation::protocol, "a row before any table");
  if (++current->rows_printed > kTableRowsMax) {
    return refuse(Violation::output_too_large, "too many rows in a table");
  }
  if (current->is_gaps && !is_known_table(row)) {
    return refuse(Violation::undeclared, "a gap in a table that is not declared");
  }
  if (current->is_gaps) {
    const auto* code = row.find("code");
    if (code && code->if_string() && !is_error_code(*code->if_string())) {
      return refuse(Violation::wrong_type, "a gap with an unknown code");
    }
  }
  const auto error = current->builder.try_add(row);
  const bool outgrown = (error && error->fault == RowFault::too_large) ||
                        bytes_kept + current->builder.bytes() > kBundleBlobBytesMax;
  if (outgrown) {
    current->too_large = true;
    current->builder.clear();
    return true;
  }
  if (error) return refuse(violation_of(error->fault), error->message);
  if (current->too_large) current->builder.clear();
  return true;
}

bool OutputParser::State::take_unchanged(const json::Value& body) {
  if (body.if_string()) return refuse(Violation::protocol, "\"unchanged\" is no object");
  auto* table = requested(body);
  if (!table) return false;
  if (table->phase != Table::Phase::unanswered) {
    return refuse(Violation::protocol, "a table is answered twice");
  }
  if (!request.cache.contains(*body.find("table")->if_string())) {
    return refuse(Violation::cache, "unchanged, but the request had no token for it");
  }
  close_current();
  table->phase = Table::Phase::unchanged;
  return true;
}

bool OutputParser::State::take_cache(const json::Value& body) {
  if (body.if_string()) return refuse(Violation::protocol, "\"cache\" is no object");
  auto* table = requested(body);
  if (!table) return false;
  const auto* member = body.find("token");
  const auto* token = member ? member->if_string() : nullptr;
  if (!token) return refuse(Violation::protocol, "a cache line without token");
  if (token->size() > kCacheTokenBytesMax) return refuse(Violation::cache, "a token too long");
  if (table->cache_token) return refuse(Violation::protocol, "two tokens for one table");
  table->cache_token = *token;
  return true;
}

bool OutputParser::State::take_log(const json::Value& body) {
  const auto level = json::get_string(body, "level");
  const auto message = json::get_string(body, "message");
  if (!level || !message) return refuse(Violation::protocol, "a log line without its members");
  if (*level != "debug" && *level != "info" && *level != "warn") {
    return refuse(Violation::protocol, "a log line of unknown level");
  }
  if (log.size() >= kLogLinesMax || message->size() > kLogMessageBytesMax) {
    ++log_lines_left_out;
  } else {
    log.push_back({*level, redact(Redaction::none, *message)});
  }
  return true;
}

bool OutputParser::State::take_error(const json::Value& body) {
  if (body.if_string()) return refuse(Violation::protocol, "\"error\" is no object");
  auto* table = requested(body);
  if (!table) return false;
  const auto code = json::get_string(body, "code");
  const auto message = json::get_string(body, "message");
  if (!code || !message) return refuse(Violation::protocol, "an error line without its members");
  if (!is_error_code(*code)) return refuse(Violation::protocol, "an error of unknown code");
  if (message->size() > kMessageBytesMax) {
    return refuse(Violation::protocol, "an error message over 1 KiB");
  }
  if (table->phase == Table::Phase::unchanged || table->phase == Table::Phase::error) {
    return refuse(Violation::protocol, "a table is answered twice");
  }
  if (table == current) current = nullptr;
  if (table->phase == Table::Phase::closed) bytes_kept -= table->builder.bytes();
  table->phase = Table::Phase::error;
  table->builder.clear();
  table->error_code = *code;
  table->error_message = redact(Redaction::none, *message);
  return true;
}

bool OutputParser::State::take_end(const json::Value& body) {
  close_current();
  const auto rows = json::get_object(body, "rows");
  const auto unchanged = json::get_integer(body, "unchanged");
  const auto errors = json::get_integer(body, "errors");
  if (!rows || !unchanged || !errors) {
    return refuse(Violation::protocol, "an end line without its members");
  }
  for (const auto& name : request.tables) {
    if (tables.at(name).phase == Table::Phase::unanswered) {
      return refuse(Violation::missing_table, fmt::format("no answer for table \"{}\"", name));
    }
  }
  if (!check_counts(*(*rows)->if_object(), *unchanged, *errors)) return false;
  ended = true;
  return true;
}

bool OutputParser::State::check_counts(const json::Object& rows, std::int64_t unchanged,
                                       std::int64_t errors) {
  std::size_t good = 0;
  for (const auto& [name, table] : tables) {
    unchanged -= table.phase == Table::Phase::unchanged ? 1 : 0;
    errors -= table.phase == Table::Phase::error ? 1 : 0;
    if (table.phase != Table::Phase::closed) continue;
    ++good;
    const auto count = rows.find(std::string_view(name));
    if (count == rows.end() || count->second != json::Value(table.rows_printed)) {
      return refuse(Violation::count_mismatch,
                    fmt::format("the rows of table \"{}\" are not as counted", name));
    }
  }
  if (good != rows.size() || unchanged != 0 || errors != 0) {
    return refuse(Violation::count_mismatch, "the counts are not those of the lines");
  }
  return true;
}

Snapshot OutputParser::State::snapshot() {
  Snapshot result;
  for (const auto& name : request.tables) {
    auto& table = tables.at(name);
    TableAnswer answer;
    answer.name = name;
    answer.cache_token = std::move(table.cache_token);
    if (table.phase == Table::Phase::unchanged) {
      answer.kind = TableAnswer::Kind::unchanged;
    } else if (table.phase == Table::Phase::error || table.too_large) {
      answer.kind = TableAnswer::Kind::error;
      answer.error_code = table.too_large ? "too-large" : table.error_code;
      answer.error_message =
          table.too_large ? "the table is larger than a blob may be" : table.error_message;
      answer.cache_token.reset();
    } else {
      answer.blob = table.builder.finish();
    }
    result.tables.push_back(std::move(answer));
  }
  result.log = std::move(log);
  result.log_lines_left_out = log_lines_left_out;
  return result;
}

OutputParser::OutputParser(const Manifest& manifest, RunRequest request)
    : state_(std::make_unique<State>(manifest, std::move(request))) {}
OutputParser::~OutputParser() = default;
OutputParser::OutputParser(OutputParser&&) noexcept = default;
OutputParser& OutputParser::operator=(OutputParser&&) noexcept = default;

bool OutputParser::feed(std::string_view bytes) {
  auto& state = *state_;
  if (state.violation) return false;
  state.bytes_read += bytes.size();
  if (state.bytes_read > kCollectorOutputBytesMax) {
    return state.refuse(Violation::output_too_large, "over 128 MiB of output");
  }
  while (!bytes.empty()) {
    if (state.ended) return state.refuse(Violation::after_end, "bytes after the end line");
    const auto end = bytes.find('\n');
    const auto piece = bytes.substr(0, end);
    // With its LF a line has at most kRowLineBytesMax bytes.
    if (state.pending.size() + piece.size() >= kRowLineBytesMax) {
      return state.refuse(Violation::line_too_long, "over 1 MiB");
    }
    if (end == std::string_view::npos) {
      state.pending += piece;
      return true;
    }
    bytes.remove_prefix(end + 1);
    const bool taken =
        state.pending.empty() ? state.take_line(piece) : state.take_line(state.pending += piece);
    if (!taken) return false;
    state.pending.clear();
    ++state.line_number;
  }
  return true;
}

std::variant<Snapshot, RunViolation> OutputParser::finish() {
  auto& state = *state_;
  if (!state.violation && !state.ended) {
    state.refuse(Violation::no_end, "the output stops before an end line");
  }
  if (state.violation) return *std::move(state.violation);
  return state.snapshot();
}

}  // namespace vouch
