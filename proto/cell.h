// SPDX-License-Identifier: Apache-2.0
// Columns and their cells (docs/formats/tables.md).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/json.h"
#include "core/redact.h"
#include "core/result.h"

namespace vouch {

enum class ColumnType { text, time, bytes, integer, boolean };
std::string_view to_string(ColumnType type);
Result<ColumnType> parse_column_type(std::string_view text);

struct Column {
  std::string name;
  std::string title = {};
  ColumnType type = ColumnType::text;
  bool nullable = false;
  std::string null_means = {};  // Set if nullable: what null says ("never"); never "unknown".
  Redaction redact = Redaction::none;  // Text and bytes only.
  bool personal = false;

  bool operator==(const Column&) const = default;
};

std::string_view to_string(Redaction redaction);  // "url", "command", "environment"; "" for none.
Result<Redaction> parse_redaction(std::string_view text);

// Why a row was not taken.
enum class RowFault { undeclared, wrong_type, duplicate_key, too_many_rows, too_large };

struct RowError {
  RowFault fault;
  std::string message;  // Names the column; never holds a cell's content.
};

// Type, form, range and null of one cell, but not its size. Nothing means right.
std::unique_ptr<RowError> check_cell(const Column& column, const json::Value& cell);
// Applies the column's rule and the rules that always hold. `cell` was checked, and stays right.
void redact_cell(const Column& column, json::Value& cell);

// Cells of type bytes: UTF-8 but C0, DEL and C1 as it is, "\" as "\\", any other byte as "\xHH"
// (lowercase). Every byte string has exactly one such form.
std::string encode_bytes_cell(std::string_view raw);
bool is_bytes_cell(std::string_view cell);

// Integer cells: a number within +-(2^53-1), outside of that a decimal string, up to int64.
json::Value integer_cell(std::int64_t value);
Result<std::int64_t> parse_integer_cell(const json::Value& cell);

}  // namespace vouch
