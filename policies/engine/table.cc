// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/json.h"
#include "proto/names.h"

namespace vouch::policy {
namespace {

Column make_column(std::string name, ColumnType type) {
  Column column;
  column.name = std::move(name);
  column.type = type;
  return column;
}
Column text(std::string name) {
  return make_column(std::move(name), ColumnType::text);
}
Column time(std::string name) {
  return make_column(std::move(name), ColumnType::time);
}
Column nullable(Column column, std::string means) {
  column.nullable = true;
  column.null_means = std::move(means);
  return column;
}

TableSchema make_schema(std::string name, std::vector<std::string> key,
                        std::vector<Column> columns) {
  TableSchema schema;
  schema.name = std::move(name);
  schema.key = std::move(key);
  schema.columns = std::move(columns);
  return schema;
}

std::array<TableSchema, 4> make_built_in() {
  return {
      make_schema("waivers", {"id"},
                  {text("id"), text("check_id"), text("match"), text("owner"), text("reason"),
                   text("approved_by"), text("ticket"), time("valid_from"), time("valid_until"),
                   nullable(time("approved_at"), "not approved"), text("likelihood"),
                   text("impact"), text("treatment"), text("compensating")}),
      make_schema("drift", {"table_name", "key", "change", "column"},
                  {text("table_name"), text("key"), text("change"), text("column"),
                   nullable(text("before"), "null, or no row"),
                   nullable(text("after"), "null, or no row"), time("first_seen")}),
      make_schema(
          "registers", {"name"},
          {text("name"), text("owner"), time("as_of"), nullable(time("valid_until"), "no end")}),
      make_schema("columns", {"table_name", "column_name"},
                  {text("table_name"), text("column_name"), text("type"),
                   make_column("nullable", ColumnType::boolean),
                   make_column("is_key", ColumnType::boolean)}),
  };
}

}  // namespace

std::vector<const Column*> row_order(const TableSchema& schema) {
  std::vector<const Column*> columns;
  for (const auto& column : schema.columns) columns.push_back(&column);
  std::sort(columns.begin(), columns.end(),
            [](const Column* a, const Column* b) { return a->name < b->name; });
  return columns;
}

std::size_t count_rows(std::string_view blob) {
  return static_cast<std::size_t>(std::count(blob.begin(), blob.end(), '\n'));
}

std::string columns_blob(const SchemaMap& schemas) {
  std::set<std::string> lines;
  for (const auto& [name, schema] : schemas) {
    for (const auto& column : schema.columns) {
      const auto& key = schema.key;
      const bool is_key = std::find(key.begin(), key.end(), column.name) != key.end();
      lines.insert(json::write(json::Object{{"table_name", name},
                                            {"column_name", column.name},
                                            {"type", to_string(column.type)},
                                            {"nullable", column.nullable},
                                            {"is_key", is_key}}));
    }
  }
  std::string blob;
  for (const auto& line : lines) blob += line + "\n";
  return blob;
}

Result<SchemaMap> read_columns_blob(std::string_view blob) {
  // Cells by name: column_name, is_key, nullable, table_name, type.
  SchemaMap schemas;
  auto done =
      scan_rows(*built_in_schema("columns"), blob, [&](std::span<const Cell> row) -> Status {
        auto type = parse_column_type(std::get<std::string_view>(row[4]));
        if (!type) return std::move(type).error();
        const std::string table{std::get<std::string_view>(row[3])};
        Column column = make_column(std::string(std::get<std::string_view>(row[0])), *type);
        column.nullable = std::get<std::int64_t>(row[2]) != 0;
        auto& schema = schemas[table];
        schema.name = table;
        if (!is_plain_name(table) || !is_plain_name(column.name) || schema.find(column.name)) {
          return Error{Errc::invalid, fmt::format("bad name {}.{}, or twice", table, column.name)};
        }
        if (std::get<std::int64_t>(row[1]) != 0) schema.key.push_back(column.name);
        schema.columns.push_back(std::move(column));
        return Ok{};
      });
  if (!done) return std::move(done).error();
  return schemas;
}

const TableSchema* built_in_schema(std::string_view name) {
  if (name == "gaps") return &gaps_schema();
  static const auto built_in = make_built_in();
  for (const auto& schema : built_in) {
    if (schema.name == name) return &schema;
  }
  return nullptr;
}

const TableSchema* find_schema(const SchemaMap& schemas, std::string_view name) {
  if (const auto* schema = built_in_schema(name)) return schema;
  if (const auto it = schemas.find(name); it != schemas.end()) return &it->second;
  for (const std::string_view prefix : {"baseline_", "previous_"}) {
    if (!name.starts_with(prefix)) continue;
    const auto it = schemas.find(name.substr(prefix.size()));
    if (it != schemas.end()) return &it->second;
  }
  return nullptr;
}

}  // namespace vouch::policy
