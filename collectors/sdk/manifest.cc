// SPDX-License-Identifier: Apache-2.0
#include "collectors/sdk/manifest.h"

#include "core/json.h"

namespace vouch::sdk {
namespace {

std::string_view type_name(Type type) {
  switch (type) {
    case Type::text:
      return "text";
    case Type::bytes:
      return "bytes";
    case Type::integer:
      return "integer";
    case Type::boolean:
      return "boolean";
    case Type::time:
      return "time";
  }
  return "text";
}

std::string_view redaction_name(Redaction rule) {
  switch (rule) {
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

Column make(std::string_view name, Type type, std::string_view title) {
  Column column;
  column.name = name;
  column.type = type;
  column.title = title;
  return column;
}

json::Value describe_column(const Column& column) {
  json::Object out;
  out["name"] = column.name;
  out["type"] = type_name(column.type);
  out["title"] = column.title;
  if (!column.null_means.empty()) {
    out["nullable"] = true;
    out["null"] = column.null_means;
  }
  if (column.redaction != Redaction::none) out["redact"] = redaction_name(column.redaction);
  if (column.is_personal) out["personal"] = true;
  return out;
}

json::Value describe_table(const Table& table) {
  json::Array key;
  json::Array columns;
  for (const Column& column : table.columns) {
    if (column.is_key) key.emplace_back(column.name);
    columns.push_back(describe_column(column));
  }
  json::Array capabilities;
  for (const std::string_view capability : table.capabilities)
    capabilities.emplace_back(capability);
  return json::Object{{"name", table.name},
                      {"title", table.title},
                      {"key", std::move(key)},
                      {"volatile", table.is_volatile},
                      {"needs", json::Object{{"capabilities", std::move(capabilities)}}},
                      {"columns", std::move(columns)}};
}

json::Value describe_members(const Option& option) {
  json::Object properties;
  json::Array required;
  for (const OptionMember& member : option.members) {
    properties[std::string(member.name)] =
        json::Object{{"type", "string"}, {"title", member.title}};
    if (member.is_required) required.emplace_back(member.name);
  }
  return json::Object{{"type", "object"},
                      {"additionalProperties", false},
                      {"required", std::move(required)},
                      {"properties", std::move(properties)}};
}

json::Value describe_option(const Option& option) {
  json::Object out;
  out["title"] = option.title;
  switch (option.type) {
    case OptionType::text:
      out["type"] = "string";
      break;
    case OptionType::integer:
      out["type"] = "integer";
      break;
    case OptionType::boolean:
      out["type"] = "boolean";
      break;
    case OptionType::texts:
      out["type"] = "array";
      out["items"] = json::Object{{"type", "string"}};
      break;
    case OptionType::objects:
      out["type"] = "array";
      out["items"] = describe_members(option);
      break;
  }
  return out;
}

}  // namespace

Column Column::key() const {
  Column copy = *this;
  copy.is_key = true;
  return copy;
}

Column Column::nullable(std::string_view what_null_means) const {
  Column copy = *this;
  copy.null_means = what_null_means;
  return copy;
}

Column Column::redact(Redaction rule) const {
  Column copy = *this;
  copy.redaction = rule;
  return copy;
}

Column Column::personal() const {
  Column copy = *this;
  copy.is_personal = true;
  return copy;
}

Column text(std::string_view name, std::string_view title) {
  return make(name, Type::text, title);
}
Column bytes(std::string_view name, std::string_view title) {
  return make(name, Type::bytes, title);
}
Column integer(std::string_view name, std::string_view title) {
  return make(name, Type::integer, title);
}
Column boolean(std::string_view name, std::string_view title) {
  return make(name, Type::boolean, title);
}
Column time(std::string_view name, std::string_view title) {
  return make(name, Type::time, title);
}

Column occurrence() {
  Column column = make("occurrence", Type::integer, "Counts rows whose other key cells are equal");
  column.is_key = true;
  column.is_occurrence = true;
  return column;
}

const Table* Collector::find(std::string_view table) const {
  for (const Table& candidate : tables) {
    if (candidate.name == table) return &candidate;
  }
  return nullptr;
}

std::string describe(const Collector& collector) {
  json::Object properties;
  for (const Option& option : collector.options) {
    properties[std::string(option.name)] = describe_option(option);
  }
  json::Array tables;
  for (const Table& table : collector.tables) tables.push_back(describe_table(table));
  json::Object manifest{{"protocol", 1},
                        {"name", collector.name},
                        {"version", VOUCH_VERSION},
                        {"title", collector.title},
                        {"interval_s", collector.interval_s},
                        {"deadline_s", collector.deadline_s},
                        {"options", json::Object{{"type", "object"},
                                                 {"additionalProperties", false},
                                                 {"properties", std::move(properties)}}},
                        {"needs", json::Object{{"network", collector.needs_network},
                                               {"cache_dir", collector.needs_cache_dir}}},
                        {"tables", std::move(tables)}};
  if (collector.configure != nullptr) manifest["configured_tables"] = true;
  return json::write(manifest);
}

}  // namespace vouch::sdk
