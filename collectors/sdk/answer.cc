// SPDX-License-Identifier: Apache-2.0
#include "collectors/sdk/answer.h"

#include <fmt/format.h>

#include "core/escape.h"
#include "core/json.h"

namespace vouch::sdk {
namespace {

// The limits of docs/formats/conventions.md; the runner enforces them too.
constexpr std::size_t kCellBytesMax = 64 << 10;
constexpr std::size_t kRowBytesMax = 1 << 20;
constexpr std::int64_t kRowsMax = 1'000'000;
constexpr std::size_t kTableBytesMax = 64 << 20;
constexpr std::size_t kTokenBytesMax = 64 << 10;
constexpr std::size_t kMessageBytesMax = 1024;
constexpr std::size_t kObjectBytesMax = 4096;
// More than this many holes are one statement: the table could not be collected.
constexpr std::size_t kGapsMax = 10'000;
constexpr std::size_t kBufferBytes = 64 << 10;

// Text of ours about outside things: valid, bounded, free of secrets.
std::string tidy(std::string_view text, std::size_t bytes_max) {
  std::string out = escape_invalid(text);
  if (holds_secret(out)) return std::string(kRedacted);
  if (out.size() > bytes_max) {
    std::size_t end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0) == 0x80) --end;
    out.resize(end);
    out += "…";
  }
  return out;
}

}  // namespace

struct Answer::Row {
  std::string line;
  std::string key;
  std::string first_key_cell;  // For the gap, if the row cannot be written.
  bool counts_occurrences = false;
};

namespace {

void append_integer(std::string& out, std::int64_t value) {
  const bool exact = value >= -json::kIntegerMax && value <= json::kIntegerMax;
  if (!exact) out += '"';
  out += fmt::format_int(value).c_str();
  if (!exact) out += '"';
}

// A text or bytes cell in the form that is hashed: escaped, then redacted, as the runner sees it.
std::string encode_text(const Column& column, std::string_view value) {
  std::string encoded = column.type == Type::bytes ? escape_bytes(value) : escape_invalid(value);
  return redact(column.redaction, encoded);
}

Error mismatch(const Column& column, std::string_view problem) {
  return {Errc::other,
          fmt::format("the collector's column {} {}: this is a bug", column.name, problem)};
}

// Appends the JSON of one non-null cell. Errc::too_large: the cell does not fit, a fact of the
// host; anything else is a mistake of the collector.
std::optional<Error> encode_cell(const Column& column, const Cell::Data& data, std::string& out) {
  if (const auto* value = std::get_if<bool>(&data)) {
    if (column.type != Type::boolean) return mismatch(column, "got a boolean");
    out += *value ? "true" : "false";
    return {};
  }
  if (const auto* value = std::get_if<std::int64_t>(&data)) {
    if (column.type == Type::integer) {
      append_integer(out, *value);
      return {};
    }
    if (column.type != Type::time) return mismatch(column, "got an integer");
    json::append_string(out, format_second(*value));
    return {};
  }
  const std::string_view value = std::get<std::string_view>(data);
  if (column.type == Type::integer || column.type == Type::boolean) {
    return mismatch(column, "got text");
  }
  if (column.type == Type::time && !parse_second(value)) return mismatch(column, "got no second");
  const std::string encoded = encode_text(column, value);
  if (encoded.size() > kCellBytesMax) {
    return Error{Errc::too_large, fmt::format("column {} is over 64 KiB", column.name)};
  }
  json::append_string(out, encoded);
  return {};
}

}  // namespace

std::string_view protocol_code(Errc code) {
  switch (code) {
    case Errc::not_found:
      return "not-found";
    case Errc::denied:
      return "permission-denied";
    case Errc::invalid:
    case Errc::corrupt:
      return "parse-error";
    case Errc::too_large:
      return "too-large";
    case Errc::timeout:
      return "timeout";
    case Errc::unsupported:
      return "not-supported";
    case Errc::tool_failed:
      return "tool-failed";
    case Errc::unavailable:
    case Errc::exists:
    case Errc::other:
      break;
  }
  return "other";
}

Answer::Answer(const Collector& collector, const Request& request, Sink sink)
    : collector_(collector), request_(request), sink_(std::move(sink)) {}

void Answer::begin_table(std::size_t index) {
  current_ = Current{};
  current_.index = index;
}

std::optional<Error> Answer::encode_row(const Cell* cells, std::size_t count, Row& row) {
  std::size_t next = 0;
  row.line = "{\"row\":{";
  bool first = true;
  for (const Column& column : table().columns) {
    if (column.is_occurrence) {
      row.counts_occurrences = true;
      continue;
    }
    if (next == count) return mismatch(column, "got no cell");
    const Cell::Data& data = cells[next++].data();
    if (std::holds_alternative<std::monostate>(data)) {
      if (column.null_means.empty()) return mismatch(column, "must not be null");
      continue;  // A nullable column left out is null.
    }
    if (!first) row.line += ',';
    first = false;
    row.line += '"';
    row.line += column.name;
    row.line += "\":";
    const std::size_t start = row.line.size();
    if (auto error = encode_cell(column, data, row.line)) return error;
    if (column.is_key) {
      row.key.append(row.line, start);
      row.key += ',';
      if (row.first_key_cell.empty()) {
        const bool quoted = row.line[start] == '"';
        row.first_key_cell = quoted ? row.line.substr(start + 1, row.line.size() - start - 2)
                                    : row.line.substr(start);
      }
    }
  }
  if (next != count) return mismatch(table().columns.back(), "is followed by further cells");
  if (row.line.size() > kRowBytesMax - 64) return Error{Errc::too_large, "the row is over 1 MiB"};
  return {};
}

void Answer::add_row(const Cell* cells, std::size_t count) {
  if (current_.fault || current_.is_unchanged || sink_refused_) return;
  Row row;
  row.line.swap(line_);
  if (auto error = encode_row(cells, count, row)) {
    if (error->code != Errc::too_large) {
      current_.fault = std::move(error);
    } else {
      gap(table().name, row.first_key_cell, *error);
    }
    return;
  }
  const auto [entry, is_new] = current_.keys.try_emplace(std::move(row.key), 0);
  if (row.counts_occurrences) {
    ++entry->second;
    if (row.line.back() != '{') row.line += ',';
    row.line += "\"occurrence\":";
    row.line += fmt::format_int(entry->second).c_str();
  } else {
    const std::size_t digest = std::hash<std::string>{}(row.line);
    if (!is_new) {
      if (entry->second != digest) {
        gap(table().name, row.first_key_cell, {Errc::invalid, "two rows with this key differ"});
      }
      line_.swap(row.line);
      return;
    }
    entry->second = digest;
  }
  row.line += "}}\n";
  if (++current_.rows > kRowsMax || (current_.bytes += row.line.size()) > kTableBytesMax) {
    current_.fault = Error{Errc::too_large, "more than 1,000,000 rows or 64 MiB"};
    return;
  }
  write_header();
  write(row.line);
  line_.swap(row.line);
}

void Answer::set_token(std::string_view token) {
  current_.token.reset();
  if (token.size() <= kTokenBytesMax && json::is_valid_utf8(token)) current_.token = token;
}

bool Answer::unchanged(std::string_view token) {
  set_token(token);
  if (!current_.token) return false;
  const auto known = request_.tokens.find(table().name);
  current_.is_unchanged = known != request_.tokens.end() && known->second == token;
  return current_.is_unchanged;
}

void Answer::end_table(const Status& status) {
  if (!status && !current_.fault) current_.fault = status.error();
  if (current_.fault) return write_error(*current_.fault);
  if (current_.is_unchanged) {
    std::string line = "{\"unchanged\":{\"table\":";
    json::append_string(line, table().name);
    line += "}}\n";
    write(line);
    ++unchanged_count_;
    return write_cache();
  }
  write_header();
  counts_.emplace_back(table().name, current_.rows);
  if (!current_.has_gaps) write_cache();
}

void Answer::gap(std::string_view table_name, std::string_view object, const Error& error) {
  if (table_name == table().name) current_.has_gaps = true;
  std::string name = tidy(object, kObjectBytesMax);
  if (gap_keys_.size() >= kGapsMax) {
    current_.fault = Error{Errc::too_large, "more than 10,000 objects could not be examined"};
    return;
  }
  // The first reason stands: one object, one gap.
  if (!gap_keys_.emplace(std::string(table_name), name).second) return;
  gap_lines_ += "{\"row\":{\"code\":\"";
  gap_lines_ += protocol_code(error.code);
  gap_lines_ += "\",\"message\":";
  json::append_string(gap_lines_, tidy(error.message, kMessageBytesMax));
  gap_lines_ += ",\"object\":";
  json::append_string(gap_lines_, name);
  gap_lines_ += ",\"table_name\":";
  json::append_string(gap_lines_, table_name);
  gap_lines_ += "}}\n";
}

void Answer::log(std::string_view level, std::string_view message) {
  std::string line = "{\"log\":{\"level\":";
  json::append_string(line, level);
  line += ",\"message\":";
  json::append_string(line, tidy(message, kMessageBytesMax));
  line += "}}\n";
  write(line);
}

Status Answer::finish() {
  if (request_.gaps_wanted) {
    write("{\"table\":\"gaps\"}\n");
    write(gap_lines_);
    counts_.emplace_back("gaps", static_cast<std::int64_t>(gap_keys_.size()));
  }
  std::string line = "{\"end\":{\"errors\":" + std::to_string(error_count_) + ",\"rows\":{";
  for (const auto& [name, rows] : counts_) {
    if (line.back() != '{') line += ',';
    json::append_string(line, name);
    line += ':' + std::to_string(rows);
  }
  line += "},\"unchanged\":" + std::to_string(unchanged_count_) + "}}\n";
  write(line);
  flush();
  if (sink_refused_) return Error{Errc::unavailable, "the answer could not be written"};
  return Ok{};
}

void Answer::write_header() {
  if (current_.header_written) return;
  current_.header_written = true;
  std::string line = "{\"table\":";
  json::append_string(line, table().name);
  line += "}\n";
  write(line);
}

void Answer::write_cache() {
  if (!current_.token) return;
  std::string line = "{\"cache\":{\"table\":";
  json::append_string(line, table().name);
  line += ",\"token\":";
  json::append_string(line, *current_.token);
  line += "}}\n";
  write(line);
}

void Answer::write_error(const Error& error) {
  std::string line = "{\"error\":{\"code\":\"";
  line += protocol_code(error.code);
  line += "\",\"message\":";
  json::append_string(line, tidy(error.message, kMessageBytesMax));
  line += ",\"table\":";
  json::append_string(line, table().name);
  line += "}}\n";
  write(line);
  ++error_count_;
}

void Answer::write(std::string_view line) {
  if (sink_refused_) return;
  buffer_ += line;
  if (buffer_.size() >= kBufferBytes) flush();
}

void Answer::flush() {
  if (sink_refused_ || buffer_.empty()) return;
  sink_refused_ = !sink_(buffer_);
  buffer_.clear();
}

}  // namespace vouch::sdk
