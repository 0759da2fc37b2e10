// SPDX-License-Identifier: Apache-2.0
#include "proto/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "core/digest.h"
#include "proto/limits.h"

namespace vouch {
namespace {

std::unique_ptr<RowError> fault(RowFault kind, std::string message) {
  return std::make_unique<RowError>(RowError{kind, std::move(message)});
}

// Appends the cell's JSON. The cell was checked.
void append_cell(std::string& line, const json::Value& cell) {
  if (const auto* text = cell.if_string()) {
    json::append_string(line, *text);
  } else {
    line += json::write(cell);
  }
}

}  // namespace

const Column* TableSchema::find(std::string_view column) const {
  const auto found = std::ranges::find(columns, column, &Column::name);
  return found == columns.end() ? nullptr : &*found;
}

const TableSchema& gaps_schema() {
  static const TableSchema kGaps = {
      .name = "gaps",
      .title = "What could not be examined",
      .key = {"table_name", "object"},
      .is_volatile = false,
      .capabilities = {},
      .columns = {{.name = "table_name", .title = "The table that has the gap"},
                  {.name = "object", .title = "What could not be examined"},
                  {.name = "code", .title = "Why, for machines"},
                  {.name = "message", .title = "Why, for people"}}};
  return kGaps;
}

TableBuilder::TableBuilder(const TableSchema& schema) : schema_(schema) {
  for (const auto& column : schema_.columns) by_name_.push_back(&column);
  std::ranges::sort(by_name_, json::KeyLess{}, &Column::name);
  for (const auto& key : schema_.key) {
    const auto found = std::ranges::find(by_name_, key, &Column::name);
    assert(found != by_name_.end());
    key_.push_back(static_cast<std::size_t>(found - by_name_.begin()));
  }
}

std::unique_ptr<RowError> TableBuilder::try_add(const json::Value& row) {
  const auto* members = row.if_object();
  if (!members) return fault(RowFault::wrong_type, "a row is an object");
  if (rows() >= kTableRowsMax) {
    return fault(RowFault::too_many_rows, fmt::format("more than {} rows", kTableRowsMax));
  }

  std::string line = "{";
  std::vector<std::string> cells(by_name_.size());
  std::size_t used = 0;
  for (std::size_t i = 0; i < by_name_.size(); ++i) {
    const auto& column = *by_name_[i];
    const auto member = members->find(std::string_view(column.name));
    json::Value cell = member == members->end() ? json::Value() : member->second;
    used += member == members->end() ? 0 : 1;
    if (auto error = check_cell(column, cell)) return error;
    redact_cell(column, cell);
    if (const auto* text = cell.if_string(); text && text->size() > kCellBytesMax) {
      return fault(RowFault::too_large,
                   fmt::format("column \"{}\": a cell over {} bytes", column.name, kCellBytesMax));
    }
    append_cell(cells[i], cell);
    line += fmt::format("{}\"{}\":{}", i == 0 ? "" : ",", column.name, cells[i]);
  }
  line += "}\n";
  if (used != members->size()) return fault(RowFault::undeclared, "a column is not declared");
  if (line.size() > kRowLineBytesMax || arena_.size() + line.size() > kBlobBytesMax) {
    return fault(RowFault::too_large, "the table outgrows the limits of a blob");
  }

  std::string key;
  for (const auto index : key_) key += cells[index] + ",";
  if (!keys_.insert(std::move(key)).second) {
    return fault(RowFault::duplicate_key, "two rows with one key");
  }
  lines_.emplace_back(arena_.size(), line.size());
  arena_ += line;
  return nullptr;
}

Result<Ok> TableBuilder::add(const json::Value& row) {
  const auto error = try_add(row);
  if (!error) return Ok{};
  const bool large = error->fault == RowFault::too_large || error->fault == RowFault::too_many_rows;
  return Error{large ? Errc::too_large : Errc::invalid,
               fmt::format("table {}: {}", schema_.name, error->message)};
}

void TableBuilder::clear() {
  arena_ = {};
  lines_ = {};
  keys_ = {};
}

TableBlob TableBuilder::finish() {
  keys_ = {};
  const std::string_view arena = arena_;
  const auto line_at = [&](const auto& place) { return arena.substr(place.first, place.second); };
  std::ranges::sort(lines_, {}, line_at);

  TableBlob blob;
  blob.rows = rows();
  blob.bytes.reserve(arena_.size());
  for (const auto& place : lines_) blob.bytes += line_at(place);
  blob.sha256 = sha256_hex(blob.bytes);
  clear();
  return blob;
}

Result<TableBlob> make_table(const TableSchema& schema, const std::vector<json::Value>& rows) {
  TableBuilder builder(schema);
  for (const auto& row : rows) {
    if (auto added = builder.add(row); !added) return std::move(added).error();
  }
  return builder.finish();
}

}  // namespace vouch
