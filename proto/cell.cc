// SPDX-License-Identifier: Apache-2.0
#include "proto/cell.h"

#include <fmt/format.h>

#include <charconv>
#include <cstddef>

#include "core/clock.h"
#include "core/encoding.h"

namespace vouch {
namespace {

// The length of the UTF-8 sequence at the front of `text` that may stand as it is, 0 if none may.
// Validity is decided by the one UTF-8 check that we have.
std::size_t plain_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x20 || lead == 0x7f || lead == '\\') return 0;
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (text.size() < length || !json::is_valid_utf8(text.substr(0, length))) return 0;
  const bool c1 = lead == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0;
  return c1 ? 0 : length;
}

Result<std::string> decode_bytes_cell(std::string_view cell) {
  std::string raw;
  for (std::size_t i = 0; i < cell.size(); ++i) {
    if (cell[i] != '\\') {
      raw += cell[i];
      continue;
    }
    if (cell.substr(i, 2) == "\\\\") {
      raw += '\\';
      i += 1;
      continue;
    }
    if (cell.substr(i, 2) != "\\x" || cell.size() < i + 4) {
      return Error{Errc::invalid, "a backslash that begins neither \\\\ nor \\xHH"};
    }
    auto byte = hex_decode(cell.substr(i + 2, 2));
    if (!byte) return std::move(byte).error();
    raw += *byte;
    i += 3;
  }
  return raw;
}

bool has_right_type(const Column& column, const json::Value& cell) {
  const auto* text = cell.if_string();
  switch (column.type) {
    case ColumnType::text:
      return text != nullptr;
    case ColumnType::time:
      return text && parse_second(*text).has_value();
    case ColumnType::bytes:
      return text && is_bytes_cell(*text);
    case ColumnType::integer:
      return parse_integer_cell(cell).has_value();
    case ColumnType::boolean:
      return cell.if_bool() != nullptr;
  }
  return false;
}

}  // namespace

std::string_view to_string(ColumnType type) {
  switch (type) {
    case ColumnType::text:
      return "text";
    case ColumnType::time:
      return "time";
    case ColumnType::bytes:
      return "bytes";
    case ColumnType::integer:
      return "integer";
    case ColumnType::boolean:
      return "boolean";
  }
  return "text";
}

Result<ColumnType> parse_column_type(std::string_view text) {
  for (const auto type : {ColumnType::text, ColumnType::time, ColumnType::bytes,
                          ColumnType::integer, ColumnType::boolean}) {
    if (text == to_string(type)) return type;
  }
  return Error{Errc::invalid, "expected text, time, bytes, integer or boolean"};
}

std::string_view to_string(Redaction redaction) {
  switch (redaction) {
    case Redaction::none:
      return "";
    case Redaction::url:
      return "url";
    case Redaction::command:
      return "command";
    case Redaction::environment:
      return "environment";
  }
  return "";
}

Result<Redaction> parse_redaction(std::string_view text) {
  for (const auto redaction : {Redaction::url, Redaction::command, Redaction::environment}) {
    if (text == to_string(redaction)) return redaction;
  }
  return Error{Errc::invalid, "expected url, command or environment"};
}

std::unique_ptr<RowError> check_cell(const Column& column, const json::Value& cell) {
  if (cell.is_null() ? column.nullable : has_right_type(column, cell)) return nullptr;
  return std::make_unique<RowError>(RowError{
      RowFault::wrong_type,
      cell.is_null()
          ? fmt::format("column \"{}\": null is not allowed", column.name)
          : fmt::format("column \"{}\": not of type {}", column.name, to_string(column.type))});
}

void redact_cell(const Column& column, json::Value& cell) {
  if (column.type != ColumnType::text && column.type != ColumnType::bytes) return;
  const auto* text = cell.if_string();
  if (!text) return;
  auto redacted = redact(column.redact, *text);
  if (redacted == *text) return;
  // What was cut out may have begun or ended inside an escape.
  if (column.type == ColumnType::bytes && !is_bytes_cell(redacted)) redacted = kRedacted;
  cell = std::move(redacted);
}

std::string encode_bytes_cell(std::string_view raw) {
  std::string cell;
  while (!raw.empty()) {
    auto length = plain_length(raw);
    if (length > 0) {
      cell += raw.substr(0, length);
    } else {
      length = 1;
      cell += raw.front() == '\\' ? "\\\\" : "\\x" + hex_encode(raw.substr(0, 1));
    }
    raw.remove_prefix(length);
  }
  return cell;
}

bool is_bytes_cell(std::string_view cell) {
  const auto raw = decode_bytes_cell(cell);
  return raw && encode_bytes_cell(*raw) == cell;
}

json::Value integer_cell(std::int64_t value) {
  if (value >= -json::kIntegerMax && value <= json::kIntegerMax) return value;
  return std::to_string(value);
}

Result<std::int64_t> parse_integer_cell(const json::Value& cell) {
  if (const auto* number = cell.if_integer()) return *number;
  const Error invalid{Errc::invalid, "expected an integer"};
  const auto* text = cell.if_string();
  if (!text) return invalid;
  std::int64_t value = 0;
  const auto* const end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, value);
  // Only the one canonical spelling: no sign but "-", no leading zero, nothing that fits a number.
  if (error != std::errc{} || stop != end || integer_cell(value) != cell) return invalid;
  return value;
}

}  // namespace vouch
