// SPDX-License-Identifier: Apache-2.0
#include "collectors/command/output.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

namespace vouch::command {
namespace {

constexpr std::size_t kLineBytesMax = 1 << 20;

using Fields = std::vector<std::string>;
using Values = std::vector<sdk::Value>;

std::string_view next_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

Result<Values> values_of_json(const sdk::DeclaredTable& table, std::string_view line) {
  if (line.size() > kLineBytesMax) return Error{Errc::too_large, "over 1 MiB"};
  const auto parsed = json::parse_foreign(line);
  if (!parsed) return parsed.error();
  if (parsed->if_object() == nullptr) return Error{Errc::invalid, "is no JSON object"};
  Values values;
  for (const sdk::DeclaredColumn& column : table.columns) {
    auto value = sdk::value_of(column, column.pointer.find(*parsed));
    if (!value) return std::move(value).error();
    values.push_back(*std::move(value));
  }
  return values;
}

Result<Values> values_of_fields(const sdk::DeclaredTable& table, const Fields& fields) {
  if (fields.size() != table.columns.size()) {
    return Error{Errc::invalid, fmt::format("has {} fields; {} are declared", fields.size(),
                                            table.columns.size())};
  }
  Values values;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    auto value = sdk::value_of_text(table.columns[i], fields[i]);
    if (!value) return std::move(value).error();
    values.push_back(*std::move(value));
  }
  return values;
}

Status check_header(const sdk::DeclaredTable& table, const Fields& fields) {
  const auto is_same = [](const sdk::DeclaredColumn& column, const std::string& field) {
    return field == (column.from.empty() ? column.name : column.from);
  };
  if (std::equal(table.columns.begin(), table.columns.end(), fields.begin(), fields.end(),
                 is_same)) {
    return Ok{};
  }
  return Error{Errc::invalid, "its header does not name the declared columns in their order"};
}

Fields fields_of_tsv(std::string_view line) {
  Fields fields;
  for (;;) {
    const auto tab = line.find('\t');
    fields.emplace_back(line.substr(0, tab));
    if (tab == std::string_view::npos) return fields;
    line.remove_prefix(tab + 1);
  }
}

// The end of a quoted field that begins after its quote; its text in `field`.
std::optional<std::size_t> read_quoted(std::string_view text, std::size_t at, std::string& field) {
  for (; at < text.size(); ++at) {
    if (text[at] != '"') {
      field += text[at];
    } else if (at + 1 < text.size() && text[at + 1] == '"') {
      field += text[at++];
    } else {
      return at + 1;
    }
  }
  return std::nullopt;
}

// Cuts one record of RFC 4180, which quoted fields may stretch over lines, off the front.
Result<Fields> next_csv_record(std::string_view& rest) {
  Fields fields;
  std::size_t at = 0;
  for (;;) {
    std::string field;
    if (at < rest.size() && rest[at] == '"') {
      const auto end = read_quoted(rest, at + 1, field);
      if (!end) return Error{Errc::invalid, "a quote is never closed"};
      at = *end;
      if (rest.substr(at).starts_with("\r\n")) ++at;
      if (at < rest.size() && rest[at] != ',' && rest[at] != '\n') {
        return Error{Errc::invalid, "a quoted field goes on after its quote"};
      }
    } else {
      const auto end = std::min(rest.find_first_of(",\n", at), rest.size());
      field = rest.substr(at, end - at);
      at = end;
      if (field.ends_with('\r') && (at == rest.size() || rest[at] == '\n')) field.pop_back();
    }
    fields.push_back(std::move(field));
    if (at == rest.size() || rest[at] == '\n') break;
    ++at;
  }
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return fields;
}

Result<Fields> next_record(Format format, std::string_view& rest) {
  if (format == Format::csv) return next_csv_record(rest);
  return fields_of_tsv(next_line(rest));
}

}  // namespace

Status read_output(const sdk::DeclaredTable& table, OutputForm form, std::string_view output,
                   const RecordSink& sink) {
  std::size_t line = 1;
  std::string_view rest = output;
  bool is_header = form.has_header;
  if (is_header && output.empty()) return Error{Errc::invalid, "it has no header"};
  while (!rest.empty()) {
    const std::size_t first_line = line;
    const std::string_view before = rest;
    if (form.format == Format::jsonl) {
      const auto text = next_line(rest);
      ++line;
      if (text.find_first_not_of(" \t\r") != std::string_view::npos) {
        sink(first_line, values_of_json(table, text));
      }
      continue;
    }
    const auto fields = next_record(form.format, rest);
    if (!fields) return Error(fields.error()).in(fmt::format("line {}", first_line));
    const auto read = before.substr(0, before.size() - rest.size());
    line += static_cast<std::size_t>(std::count(read.begin(), read.end(), '\n'));
    if (!is_header) {
      sink(first_line, values_of_fields(table, *fields));
    } else if (auto good = check_header(table, *fields); !good) {
      return good;
    }
    is_header = false;
  }
  return Ok{};
}

}  // namespace vouch::command
