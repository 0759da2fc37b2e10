// SPDX-License-Identifier: Apache-2.0
// Table blobs (docs/formats/tables.md): each row an RFC 8785 object with every declared column, one
// per line, lines sorted bytewise, LF after each, no two equal. Same facts, same digest.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "proto/cell.h"

namespace vouch {

struct TableSchema {
  std::string name;
  std::string title;
  std::vector<std::string> key;  // Columns; their cells are never null, and unique together.
  bool is_volatile = false;      // Facts that change by themselves: a change alone seals nothing.
  std::vector<std::string> capabilities;  // Needed to read it, e.g. "CAP_DAC_READ_SEARCH".
  std::vector<Column> columns;

  [[nodiscard]] const Column* find(std::string_view column) const;
  bool operator==(const TableSchema&) const = default;
};

// Names, sizes, key, null and redact rules. parse_manifest() has called it.
Status check_schema(const TableSchema& schema);

// gaps(table_name, object, code, message): in every collector, never declared.
const TableSchema& gaps_schema();

// The bytes of a table with what a record says of them.
struct TableBlob {
  std::string bytes;
  std::int64_t rows = 0;
  std::string sha256;  // Hex.
};

// Makes a blob from rows in any order. Redacts (core/redact.h) before anything else is done with a
// cell. A builder holds at most kBlobBytesMax of rows, and their keys.
class TableBuilder {
 public:
  explicit TableBuilder(const TableSchema& schema);
  TableBuilder(TableBuilder&&) noexcept = default;
  TableBuilder& operator=(TableBuilder&&) noexcept = default;

  // `row` is an object of cells; a nullable column left out is null. On an error nothing is added.
  [[nodiscard]] Result<Ok> add(const json::Value& row);
  // The same; tells the fault apart. Nothing means taken.
  [[nodiscard]] std::unique_ptr<RowError> try_add(const json::Value& row);

  [[nodiscard]] std::int64_t rows() const { return static_cast<std::int64_t>(lines_.size()); }
  [[nodiscard]] std::size_t bytes() const { return arena_.size(); }
  void clear();
  // Sorts and hashes. The builder is empty afterwards.
  TableBlob finish();

 private:
  TableSchema schema_;
  std::vector<const Column*> by_name_;  // Into schema_, in the order of RFC 8785.
  std::vector<std::size_t> key_;        // Indexes into by_name_.
  std::string arena_;                   // Lines, each with its LF.
  std::vector<std::pair<std::size_t, std::size_t>> lines_;  // Offset, length.
  std::unordered_set<std::string> keys_;
};

Result<TableBlob> make_table(const TableSchema& schema, const std::vector<json::Value>& rows);

// Checks the form alone: canonical lines, sorted, unique, cells of the five types, limits, and that
// all rows have the same columns. Returns the number of rows. Errors name the line.
Result<std::int64_t> check_table_form(std::string_view blob);
// The form, and each row against the schema: columns, types, nulls, unique keys.
Result<std::int64_t> check_table(const TableSchema& schema, std::string_view blob);

// Calls `row` for each line in order; stops at its first error. Parses, but does not check the
// form.
Status for_each_row(std::string_view blob, const std::function<Status(const json::Value&)>& row);

}  // namespace vouch
