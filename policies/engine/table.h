// SPDX-License-Identifier: Apache-2.0
// What the policy engine knows about a table: its columns, and its rows as typed cells.
//
// A table blob (docs/formats/tables.md) has no header, and the empty table is the empty blob. So
// that a verdict can be replayed from blobs alone, the columns that were declared are themselves
// an input table, `columns`; columns_blob() writes it, read_columns_blob() reads it back.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/result.h"
#include "proto/table.h"

namespace vouch::policy {

using SchemaMap = std::map<std::string, TableSchema, std::less<>>;

// The columns in the order in which a row of a blob lists them: by name. Pointers into `schema`.
std::vector<const Column*> row_order(const TableSchema& schema);

// A cell as SQLite holds it. Booleans are 1 and 0. Text is a view into the blob, or into the
// scanner's own buffer where it had escapes: it lives until the next row.
using Cell = std::variant<std::monostate, std::int64_t, std::string_view>;

// Reads the rows of a table blob in order, strictly: each line is the canonical JSON object of
// exactly the schema's columns, lines ascend, no two are equal. Fails with Errc::invalid and the
// line. The row is in row_order() and is valid during the call.
Status scan_rows(const TableSchema& schema, std::string_view blob,
                 const std::function<Status(std::span<const Cell>)>& row);

// The number of rows: lines.
std::size_t count_rows(std::string_view blob);

// The input table `columns` (table_name k, column_name k, type, nullable, is_key).
std::string columns_blob(const SchemaMap& schemas);
Result<SchemaMap> read_columns_blob(std::string_view blob);

// Tables that are inputs of judging and not a collector's: gaps, waivers, drift, registers,
// columns; nullptr for any other name.
const TableSchema* built_in_schema(std::string_view name);
// The schema of any name that a check may declare: built-in names, those in `schemas`, and
// `baseline_T` and `previous_T`, which have the columns of T.
const TableSchema* find_schema(const SchemaMap& schemas, std::string_view name);

}  // namespace vouch::policy
