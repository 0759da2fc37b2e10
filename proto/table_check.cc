// SPDX-License-Identifier: Apache-2.0
// Reading table blobs strictly: the half of proto/table.h that verifies.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "proto/limits.h"
#include "proto/names.h"
#include "proto/table.h"

namespace vouch {
namespace {

Error line_error(std::int64_t line, std::string_view what, Errc code = Errc::invalid) {
  return Error{code, fmt::format("table: line {}: {}", line, what)};
}

// Cuts the next line off the front; `line` has no LF.
Status next_line(std::string_view& rest, std::string_view& line, std::int64_t number) {
  const auto end = rest.find('\n');
  if (end == std::string_view::npos) return line_error(number, "no LF at the end");
  if (end + 1 > kRowLineBytesMax) return line_error(number, "too long", Errc::too_large);
  line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return Ok{};
}

Result<json::Value> parse_row(std::string_view line, std::int64_t number) {
  auto row = json::parse(line);
  if (!row) return std::move(row).error().in(fmt::format("table: line {}", number));
  if (!row->if_object() || row->if_object()->empty()) {
    return line_error(number, "expected an object with columns");
  }
  return row;
}

bool same_columns(const json::Object& a, const json::Object& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) { return x.first == y.first; });
}

// Names and cells of any row, without a schema.
Status check_plain_row(const json::Object& row, std::int64_t number) {
  if (row.size() > kTableColumnsMax) return line_error(number, "too many columns");
  for (const auto& [name, cell] : row) {
    if (!is_plain_name(name)) return line_error(number, "a column's name is not of the form");
    if (cell.if_array() || cell.if_object()) return line_error(number, "a cell is no scalar");
    if (const auto* text = cell.if_string(); text && text->size() > kCellBytesMax) {
      return line_error(number, fmt::format("column \"{}\": too large", name), Errc::too_large);
    }
  }
  return Ok{};
}

Status check_schema_row(const TableSchema& schema, const json::Object& row, std::int64_t number) {
  for (const auto& column : schema.columns) {
    const auto cell = row.find(std::string_view(column.name));
    if (cell == row.end()) {
      return line_error(number, fmt::format("column \"{}\" is missing", column.name));
    }
    if (const auto error = check_cell(column, cell->second)) {
      return line_error(number, error->message);
    }
  }
  if (row.size() != schema.columns.size()) return line_error(number, "a column is not declared");
  return Ok{};
}

std::string key_of(const TableSchema& schema, const json::Object& row) {
  std::string key;
  for (const auto& column : schema.key) key += json::write(row.find(column)->second) + ",";
  return key;
}

using RowCheck = std::function<Status(const json::Object& row, std::int64_t number)>;

Result<std::int64_t> check_lines(std::string_view blob, const RowCheck& check) {
  if (blob.size() > kBlobBytesMax) return Error{Errc::too_large, "table: over 64 MiB"};
  std::string_view previous;
  std::int64_t number = 0;
  while (!blob.empty()) {
    if (++number > kTableRowsMax) return line_error(number, "too many rows", Errc::too_large);
    std::string_view line;
    if (auto cut = next_line(blob, line, number); !cut) return std::move(cut).error();
    if (number > 1 && line <= previous) {
      return line_error(number, line == previous ? "equal to the line before" : "not sorted");
    }
    const auto row = parse_row(line, number);
    if (!row) return Error(row.error());
    if (json::write(*row) != line) return line_error(number, "not in canonical form");
    const auto& members = *row->if_object();
    if (auto plain = check_plain_row(members, number); !plain) return std::move(plain).error();
    if (auto checked = check(members, number); !checked) return std::move(checked).error();
    previous = line;
  }
  return number;
}

}  // namespace

Status check_schema(const TableSchema& schema) {
  const auto invalid = [&](std::string_view what) {
    return Error{Errc::invalid, fmt::format("table \"{}\": {}", schema.name, what)};
  };
  if (!is_plain_name(schema.name)) return invalid("the name is not of the form");
  if (schema.columns.empty()) return invalid("it has no columns");
  if (schema.columns.size() > kTableColumnsMax) return invalid("it has too many columns");

  std::set<std::string_view> names;
  for (const auto& column : schema.columns) {
    if (!is_plain_name(column.name)) return invalid("a column's name is not of the form");
    if (!names.insert(column.name).second) {
      return invalid(fmt::format("column \"{}\" is there twice", column.name));
    }
    const bool is_text = column.type == ColumnType::text || column.type == ColumnType::bytes;
    if (column.redact != Redaction::none && !is_text) {
      return invalid(fmt::format("column \"{}\": only text and bytes are redacted", column.name));
    }
    if (column.nullable == column.null_means.empty()) {
      return invalid(
          fmt::format("column \"{}\": \"nullable\" and \"null\" (what null means) go "
                      "together",
                      column.name));
    }
  }
  if (schema.key.empty()) return invalid("it has no key");
  std::set<std::string_view> key;
  for (const auto& name : schema.key) {
    const auto* column = schema.find(name);
    if (!column) return invalid(fmt::format("key \"{}\" is no column", name));
    if (column->nullable) return invalid(fmt::format("key \"{}\" is nullable", name));
    if (!key.insert(name).second) return invalid(fmt::format("key \"{}\" is there twice", name));
  }
  return Ok{};
}

Result<std::int64_t> check_table_form(std::string_view blob) {
  json::Object first;
  return check_lines(blob, [&](const json::Object& row, std::int64_t number) -> Status {
    if (number == 1) first = row;
    if (!same_columns(first, row)) return line_error(number, "other columns than line 1");
    return Ok{};
  });
}

Result<std::int64_t> check_table(const TableSchema& schema, std::string_view blob) {
  std::unordered_set<std::string> keys;
  return check_lines(blob, [&](const json::Object& row, std::int64_t number) -> Status {
    if (auto checked = check_schema_row(schema, row, number); !checked) return checked;
    if (!keys.insert(key_of(schema, row)).second) {
      return line_error(number, "the key of an earlier row");
    }
    return Ok{};
  });
}

Status for_each_row(std::string_view blob, const std::function<Status(const json::Value&)>& row) {
  for (std::int64_t number = 1; !blob.empty(); ++number) {
    std::string_view line;
    if (auto cut = next_line(blob, line, number); !cut) return cut;
    const auto value = parse_row(line, number);
    if (!value) return Error(value.error());
    if (auto done = row(*value); !done) return done;
  }
  return Ok{};
}

}  // namespace vouch
