// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/register.h"

#include <fmt/format.h>

#include <set>

#include "core/file.h"
#include "core/yaml.h"
#include "policies/engine/yaml_fields.h"
#include "proto/limits.h"
#include "proto/names.h"

namespace vouch::policy {
namespace {

constexpr std::size_t kDirectoryEntriesMax = 1000;
// What stands before the name of the longest column must leave it a name.
constexpr std::size_t kNameBytesMax = 48;

Result<TableSchema> load_schema(std::string_view file_name, const yaml::Node& columns,
                                const std::vector<std::string>& key, const std::string& name) {
  TableSchema schema;
  schema.name = std::string(kRegisterPrefix) + name;
  schema.title = "Register " + name;
  schema.key = key;
  for (const auto& [node, value] : columns.members) {
    Column column;
    column.name = node.scalar;
    column.title = node.scalar;
    std::string_view type = value.scalar;
    column.nullable = type.ends_with("?");
    if (column.nullable) {
      type.remove_suffix(1);
      column.null_means = "not given";
    }
    auto parsed = parse_column_type(type);
    if (!parsed) return yaml::error_at(file_name, value, parsed.error().message);
    column.type = *parsed;
    schema.columns.push_back(std::move(column));
  }
  if (auto good = check_schema(schema); !good) {
    return yaml::error_at(file_name, columns, good.error().message);
  }
  return schema;
}

}  // namespace

Result<Register> load_register(std::string_view text, std::string_view file_name) {
  auto root = yaml::parse(text, file_name);
  if (!root) return std::move(root).error();
  YamlFields fields(
      file_name, *root,
      {"register", "title", "owner", "as_of", "valid_until", "key", "columns", "rows"});
  Register result;
  result.name = fields.text("register");
  fields.text_or("title", "");
  result.owner = fields.text("owner");
  result.as_of = fields.second("as_of");
  if (fields.find("valid_until") != nullptr) result.valid_until = fields.second("valid_until");
  const auto key = fields.texts("key", kTableColumnsMax);
  const auto* columns = fields.mapping("columns");
  const auto& rows = fields.sequence("rows", kRegisterRowsMax);
  if (columns == nullptr) fields.fail(*root, "\"columns\" is missing");
  if (!fields.ok()) return std::move(fields.status()).error();
  if (!is_plain_name(result.name) || result.name.size() > kNameBytesMax) {
    return yaml::error_at(file_name, *root, "register: no name such as sudo_rules");
  }
  auto schema = load_schema(file_name, *columns, key, result.name);
  if (!schema) return std::move(schema).error();
  result.schema = *std::move(schema);

  TableBuilder builder(result.schema);
  for (const auto& node : rows) {
    auto cells = read_cells(file_name, node);
    if (!cells) return std::move(cells).error();
    if (auto added = builder.add(*std::move(cells)); !added) {
      return yaml::error_at(file_name, node, added.error().message);
    }
  }
  result.table = builder.finish();
  return result;
}

Result<std::vector<Register>> load_registers(const std::string& directory) {
  std::vector<Register> registers;
  if (directory.empty()) return registers;
  auto names = list_directory(directory, kDirectoryEntriesMax);
  if (!names) return std::move(names).error().in("registers");
  std::set<std::string> seen;
  for (const std::string& name : *names) {
    if (name.starts_with(".") || !name.ends_with(".yaml")) continue;
    const std::string path = directory + "/" + name;
    auto text = read_file(path, kRegisterBytesMax);
    if (!text) return std::move(text).error();
    auto loaded = load_register(*text, path);
    if (!loaded) return std::move(loaded).error();
    if (!seen.insert(loaded->name).second) {
      return Error{Errc::invalid,
                   fmt::format("{}: a second register named {}", path, loaded->name)};
    }
    registers.push_back(*std::move(loaded));
    if (registers.size() > kRegistersMax) {
      return Error{Errc::too_large, fmt::format("{}: over {} registers", directory, kRegistersMax)};
    }
  }
  return registers;
}

Result<TableBlob> registers_table(const std::vector<Register>& registers) {
  std::vector<json::Value> rows;
  for (const Register& each : registers) {
    rows.emplace_back(json::Object{
        {"name", each.name},
        {"owner", each.owner},
        {"as_of", each.as_of},
        {"valid_until", each.valid_until ? json::Value(*each.valid_until) : json::Value()}});
  }
  return make_table(*built_in_schema("registers"), rows);
}

}  // namespace vouch::policy
