// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/catalog.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/yaml.h"
#include "policies/engine/yaml_fields.h"
#include "proto/limits.h"
#include "proto/names.h"

namespace vouch::policy {
namespace {

constexpr std::size_t kCatalogTablesMax = 1024;

Result<TableSchema> load_columns(std::string_view file_name, const yaml::Node& node) {
  TableSchema schema;
  for (const auto& [key, value] : node.members) {
    Column column;
    column.name = key.scalar;
    std::string_view type = value.scalar;
    column.nullable = type.ends_with("?");
    if (column.nullable) type.remove_suffix(1);
    auto parsed = parse_column_type(type);
    if (!parsed) return yaml::error_at(file_name, value, parsed.error().message);
    column.type = *parsed;
    if (!is_plain_name(column.name)) return yaml::error_at(file_name, key, "no name of a column");
    schema.columns.push_back(std::move(column));
  }
  return schema;
}

Status load_table(std::string_view file_name, const yaml::Node& node, Catalog& catalog) {
  YamlFields fields(file_name, node, {"table", "collector", "volatile", "key", "columns"});
  const auto name = fields.text("table");
  const auto collector = fields.text("collector");
  const bool is_volatile = fields.boolean_or("volatile", false);
  const auto key = fields.texts("key", kTableColumnsMax);
  const auto* columns = fields.mapping("columns");
  if (columns == nullptr) fields.fail(node, "\"columns\" is missing");
  if (!fields.ok()) return fields.status();
  if (!is_plain_name(name)) return yaml::error_at(file_name, node, "no name of a table");
  auto schema = load_columns(file_name, *columns);
  if (!schema) return std::move(schema).error();
  schema->name = name;
  schema->key = key;
  schema->is_volatile = is_volatile;
  for (const auto& each : key) {
    const auto* column = schema->find(each);
    if (column == nullptr || column->nullable) {
      return yaml::error_at(file_name, node,
                            fmt::format("key \"{}\" of {} is no column, or nullable", each, name));
    }
  }
  if (!catalog.tables.emplace(name, *std::move(schema)).second) {
    return yaml::error_at(file_name, node, fmt::format("table {} is there twice", name));
  }
  catalog.collectors.emplace(name, collector);
  return Ok{};
}

}  // namespace

Result<Catalog> load_catalog(std::string_view text, std::string_view file_name) {
  auto root = yaml::parse(text, file_name);
  if (!root) return std::move(root).error();
  YamlFields fields(file_name, *root, {"tables"});
  Catalog catalog;
  for (const auto& node : fields.sequence("tables", kCatalogTablesMax)) {
    auto loaded = load_table(file_name, node, catalog);
    if (!loaded) fields.fail(std::move(loaded).error());
  }
  if (!fields.ok()) return std::move(fields.status()).error();
  return catalog;
}

Status add_manifest(Catalog& catalog, const Manifest& manifest) {
  for (const auto& table : manifest.tables) {
    const auto owner = catalog.collectors.find(table.name);
    if (owner != catalog.collectors.end() && owner->second != manifest.name) {
      return Error{Errc::invalid, fmt::format("table {} is declared by two collectors, {} and {}",
                                              table.name, owner->second, manifest.name)};
    }
    catalog.tables.insert_or_assign(table.name, table);
    catalog.collectors.insert_or_assign(table.name, manifest.name);
  }
  return Ok{};
}

}  // namespace vouch::policy
