// SPDX-License-Identifier: Apache-2.0
#include "proto/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "proto/fields.h"
#include "proto/limits.h"
#include "proto/schedule.h"

namespace vouch {
namespace {

constexpr std::size_t kManifestBytesMax = 1 * kMiB;
constexpr std::size_t kCapabilitiesMax = 64;

std::string_view print_column_type(ColumnType type) {
  return to_string(type);
}
std::string_view print_redaction(Redaction redaction) {
  return to_string(redaction);
}

template <class Io, class T>
void describe_column(Io& io, T& column) {
  io.text("name", column.name, Form::plain_name);
  io.name("type", column.type, parse_column_type, print_column_type);
  io.text("title", column.title);
  io.flag("nullable", column.nullable);
  io.flag("personal", column.personal);
}

template <class Io, class T>
void describe_table(Io& io, T& table) {
  io.text("name", table.name, Form::plain_name);
  io.text("title", table.title);
  io.texts("key", table.key, Form::plain_name, kTableColumnsMax);
  io.boolean("volatile", table.is_volatile);
  io.object("needs", [&](auto& needs) {
    needs.texts("capabilities", table.capabilities, Form::word, kCapabilitiesMax);
  });
}

void read_column(FieldReader& io, Column& column) {
  describe_column(io, column);
  if (io.has("null")) io.text("null", column.null_means, Form::word);
  if (io.has("redact")) io.name("redact", column.redact, parse_redaction, print_redaction);
}

void read_table(FieldReader& io, TableSchema& table) {
  describe_table(io, table);
  io.objects("columns", table.columns, kTableColumnsMax, read_column);
}

void write_column(FieldWriter& io, const Column& column) {
  describe_column(io, column);
  if (column.nullable) io.text("null", column.null_means);
  if (column.redact != Redaction::none) io.put("redact", to_string(column.redact));
}

void write_table(FieldWriter& io, const TableSchema& table) {
  describe_table(io, table);
  io.objects("columns", table.columns, kTableColumnsMax, write_column);
}

template <class Io, class T>
void describe_manifest(Io& io, T& manifest) {
  io.text("name", manifest.name, Form::plain_name);
  io.text("version", manifest.version, Form::word);
  io.text("title", manifest.title);
  io.integer("interval_s", manifest.interval_s, 1, kIntervalSecondsMax);
  io.integer("deadline_s", manifest.deadline_s, 1, kIntervalSecondsMax);
  io.object("needs", [&](auto& needs) {
    needs.boolean("network", manifest.needs_network);
    needs.boolean("cache_dir", manifest.needs_cache_dir);
  });
  io.flag("configured_tables", manifest.has_configured_tables);
}

Status check_tables(const std::vector<TableSchema>& tables) {
  if (tables.empty()) return Error{Errc::invalid, "a collector has at least one table"};
  std::set<std::string_view> names;
  for (const auto& table : tables) {
    if (auto checked = check_schema(table); !checked) return checked;
    if (table.name == gaps_schema().name) {
      return Error{Errc::invalid, "table \"gaps\": every collector has it; it is not declared"};
    }
    if (!names.insert(table.name).second) {
      return Error{Errc::invalid, fmt::format("table \"{}\" is there twice", table.name)};
    }
  }
  return Ok{};
}

}  // namespace

const TableSchema* Manifest::find(std::string_view table) const {
  if (table == gaps_schema().name) return &gaps_schema();
  const auto found = std::ranges::find(tables, table, &TableSchema::name);
  return found == tables.end() ? nullptr : &*found;
}

Result<Manifest> parse_manifest(std::string_view text) {
  if (text.size() > kManifestBytesMax) return Error{Errc::too_large, "manifest: over 1 MiB"};
  const auto value = json::parse(text);
  if (!value) return Error(value.error()).in("manifest");

  Manifest manifest;
  FieldProblem problem;
  FieldReader io(*value, "", problem);
  std::int64_t protocol = 0;
  io.integer("protocol", protocol, kCollectorProtocol, kCollectorProtocol);
  describe_manifest(io, manifest);
  io.objects("tables", manifest.tables, kCollectorTablesMax, read_table);
  io.object("options", [&](FieldReader& options) { manifest.options = options.value(); });
  if (problem.error()) return Error(*problem.error()).in("manifest");
  if (auto checked = check_tables(manifest.tables); !checked) {
    return std::move(checked).error().in("manifest");
  }
  return manifest;
}

std::string write_manifest(const Manifest& manifest) {
  FieldWriter io;
  io.put("protocol", kCollectorProtocol);
  describe_manifest(io, manifest);
  io.objects("tables", manifest.tables, kCollectorTablesMax, write_table);
  io.put("options", manifest.options.is_null() ? json::Value(json::Object{}) : manifest.options);
  return json::write(io.take());
}

}  // namespace vouch
