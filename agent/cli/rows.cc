// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/rows.h"

#include <fmt/format.h>

#include <set>

#include "proto/table.h"

namespace vouch::cli {
namespace {

std::string cell_text(const json::Value& cell) {
  if (cell.is_null()) return {};
  if (const auto* text = cell.if_string()) return *text;
  return json::write(cell);
}

std::vector<std::string> columns_of(const std::vector<json::Object>& rows) {
  std::set<std::string> names;
  for (const auto& row : rows) {
    for (const auto& [name, cell] : row) names.insert(name);
  }
  return {names.begin(), names.end()};
}

}  // namespace

Result<std::vector<json::Object>> read_rows(std::string_view blob) {
  std::vector<json::Object> rows;
  auto read = for_each_row(blob, [&](const json::Value& row) -> Status {
    rows.push_back(*row.if_object());
    return Ok{};
  });
  if (!read) return std::move(read).error();
  return rows;
}

std::string rows_as_text(const std::vector<json::Object>& rows,
                         const std::vector<std::string>& columns, std::size_t rows_max,
                         const TerminalStyle& style) {
  const auto names = columns.empty() ? columns_of(rows) : columns;
  TextTable table(names);
  for (std::size_t i = 0; i < rows.size() && i < rows_max; ++i) {
    std::vector<std::string> cells;
    for (const auto& name : names) {
      const auto cell = rows[i].find(name);
      cells.push_back(cell == rows[i].end() ? "" : cell_text(cell->second));
    }
    table.add(std::move(cells));
  }
  auto text = table.render(style);
  if (rows.size() > rows_max) text += fmt::format("… and {} more\n", rows.size() - rows_max);
  return text;
}

json::Value rows_as_json(const std::vector<json::Object>& rows) {
  json::Array array;
  for (const auto& row : rows) array.emplace_back(row);
  return array;
}

std::string indented(std::string_view text, std::string_view indent) {
  std::string result;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    if (!line.empty()) result += fmt::format("{}{}", indent, printable(line));
    result += '\n';
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return result;
}

std::string wrapped(std::string_view text, std::string_view indent, const TerminalStyle& style) {
  std::string result;
  std::string line;
  while (!text.empty()) {
    const auto end = text.find_first_of(" \n");
    const auto word = printable(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (word.empty()) continue;
    if (!line.empty() && indent.size() + line.size() + 1 + word.size() > style.columns) {
      result += fmt::format("{}{}\n", indent, line);
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return result + (line.empty() ? "" : fmt::format("{}{}\n", indent, line));
}

}  // namespace vouch::cli
