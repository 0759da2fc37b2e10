// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/collector_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace vouch::cli {
namespace {

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string member(const json::Value& object, std::string_view name) {
  const auto* value = object.find(name);
  return value != nullptr && value->if_string() != nullptr ? *value->if_string() : "";
}

// In a cell of a table, a bar would end it.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

// The members of the objects that an option is a list of.
std::string option_members(const json::Value& schema) {
  const auto* items = schema.find("items");
  const auto* properties = items == nullptr ? nullptr : items->find("properties");
  if (properties == nullptr || properties->if_object() == nullptr) return "";
  std::string out;
  for (const auto& [name, property] : *properties->if_object()) {
    out += fmt::format("{}`{}`: {}", out.empty() ? " Each has " : "; ", name,
                       member(property, "title"));
  }
  return out + (out.empty() ? "" : ".");
}

std::string options_section(const Manifest& manifest) {
  const auto* properties = manifest.options.find("properties");
  if (properties == nullptr || properties->if_object() == nullptr ||
      properties->if_object()->empty()) {
    return "";
  }
  std::string out = "\n## Options\n| option | type | what it says |\n| --- | --- | --- |\n";
  for (const auto& [name, schema] : *properties->if_object()) {
    out += fmt::format("| `{}` | {} | {}.{} |\n", name, member(schema, "type"),
                       cell(member(schema, "title")), cell(option_members(schema)));
  }
  return out;
}

std::string column_notes(const Column& column, const TableSchema& table) {
  std::vector<std::string> notes;
  if (std::find(table.key.begin(), table.key.end(), column.name) != table.key.end()) {
    notes.emplace_back("key");
  }
  if (column.nullable) notes.push_back("null: " + column.null_means);
  if (column.redact != Redaction::none) {
    notes.push_back(fmt::format("secrets taken out ({})", to_string(column.redact)));
  }
  if (column.personal) notes.emplace_back("personal");
  return joined(notes);
}

std::string table_section(const TableSchema& table) {
  std::string out = fmt::format("\n## {}\n{}.", table.name, table.title);
  if (!table.capabilities.empty()) {
    out += fmt::format(" Needs {}: without it the table is an error, `permission-denied`.",
                       joined(table.capabilities));
  }
  if (table.is_volatile) out += " It changes by itself: a change alone seals nothing.";
  out += "\n\n| column | type | what it is | |\n| --- | --- | --- | --- |\n";
  for (const Column& column : table.columns) {
    out += fmt::format("| `{}` | {} | {} | {} |\n", column.name, to_string(column.type),
                       cell(column.title), cell(column_notes(column, table)));
  }
  return out;
}

}  // namespace

std::string duration_text(std::int64_t seconds) {
  constexpr std::int64_t kMinute = 60;
  constexpr std::int64_t kHour = 3600;
  constexpr std::int64_t kDay = 86400;
  if (seconds % kDay == 0) return fmt::format("{} d", seconds / kDay);
  if (seconds % kHour == 0) return fmt::format("{} h", seconds / kHour);
  if (seconds % kMinute == 0) return fmt::format("{} min", seconds / kMinute);
  return fmt::format("{} s", seconds);
}

std::string needs_text(const Manifest& manifest) {
  std::set<std::string> needs;
  for (const auto& table : manifest.tables) {
    needs.insert(table.capabilities.begin(), table.capabilities.end());
  }
  if (manifest.needs_network) needs.emplace("network");
  return needs.empty() ? "-" : joined({needs.begin(), needs.end()});
}

std::string collector_page(const Manifest& manifest) {
  std::string out = fmt::format(
      "# {}\n{}.\n\nRuns every {} and takes at most {}, unless the configuration says otherwise. "
      "Network: {}. A directory of its own between runs: {}.\n",
      manifest.name, manifest.title, duration_text(manifest.interval_s),
      duration_text(manifest.deadline_s), manifest.needs_network ? "yes" : "no",
      manifest.needs_cache_dir ? "yes" : "no");
  out += options_section(manifest);
  for (const TableSchema& table : manifest.tables) out += table_section(table);
  out += "\n## gaps\nWhat could not be examined: table, object, error code, message.\n";
  return out;
}

}  // namespace vouch::cli
