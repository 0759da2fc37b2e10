// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/drift.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <tuple>

#include "core/clock.h"
#include "core/json.h"

namespace vouch::policy {
namespace {

// A row that outlives the blob's scanner.
using Row = std::vector<json::Value>;     // In row_order(); booleans are true and false again.
using Rows = std::map<std::string, Row>;  // By the JCS array of the key cells.

json::Value cell_value(const Cell& cell, ColumnType type) {
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) {
    if (type == ColumnType::boolean) return json::Value(*integer != 0);
    return integer_cell(*integer);
  }
  if (const auto* text = std::get_if<std::string_view>(&cell)) return json::Value(*text);
  return {};
}

// A cell as the text of `before` and `after`: a text as it is, anything else as JSON, null as null.
json::Value as_text(const json::Value& cell) {
  if (cell.is_null() || cell.if_string() != nullptr) return cell;
  return json::Value(json::write(cell));
}

Result<Rows> read_rows(const TableSchema& schema, std::string_view blob) {
  const auto columns = row_order(schema);
  Rows rows;
  auto done = scan_rows(schema, blob, [&](std::span<const Cell> cells) -> Status {
    Row row;
    std::map<std::string_view, const json::Value*> by_name;
    row.reserve(cells.size());
    for (std::size_t i = 0; i < cells.size(); ++i) {
      row.push_back(cell_value(cells[i], columns[i]->type));
      by_name.emplace(columns[i]->name, &row.back());
    }
    json::Array key;
    for (const auto& name : schema.key) key.push_back(*by_name.at(name));
    if (!rows.emplace(json::write(key), std::move(row)).second) {
      return Error{Errc::invalid, fmt::format("table {}: two rows have one key", schema.name)};
    }
    return Ok{};
  });
  if (!done) return std::move(done).error();
  return rows;
}

// What makes two drift rows the same: all but first_seen.
using Identity = std::tuple<std::string, std::string, std::string, std::string, std::string>;

Identity identity(const json::Object& row) {
  const auto text = [&](std::string_view name) {
    const auto& cell = row.find(name)->second;
    return cell.is_null() ? std::string() : "=" + *cell.if_string();
  };
  return {text("table_name") + text("key"), text("change"), text("column"), text("before"),
          text("after")};
}

class DriftRows {
 public:
  DriftRows(std::map<Identity, std::string> first_seen, std::string_view now)
      : first_seen_(std::move(first_seen)), now_(now) {}

  void add(std::string_view table, const std::string& key, std::string_view change,
           std::string_view column, json::Value before, json::Value after) {
    json::Object row{{"table_name", table},
                     {"key", key},
                     {"change", change},
                     {"column", column},
                     {"before", std::move(before)},
                     {"after", std::move(after)}};
    const auto seen = first_seen_.find(identity(row));
    row["first_seen"] = seen == first_seen_.end() ? json::Value(now_) : json::Value(seen->second);
    lines_.insert(json::write(row));
  }

  [[nodiscard]] std::string blob() const {
    std::string blob;
    for (const auto& line : lines_) blob += line + "\n";
    return blob;
  }

 private:
  std::map<Identity, std::string> first_seen_;
  std::string now_;
  std::set<std::string> lines_;
};

Result<std::map<Identity, std::string>> read_first_seen(std::string_view blob) {
  std::map<Identity, std::string> result;
  const auto& schema = *built_in_schema("drift");
  const auto columns = row_order(schema);
  auto done = scan_rows(schema, blob, [&](std::span<const Cell> cells) -> Status {
    json::Object row;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      row.emplace(columns[i]->name, cell_value(cells[i], columns[i]->type));
    }
    result.emplace(identity(row), *row["first_seen"].if_string());
    return Ok{};
  });
  if (!done) return std::move(done).error();
  return result;
}

}  // namespace

Result<std::string> compute_drift(const std::vector<DriftSource>& sources,
                                  std::string_view previous_drift, std::string_view now) {
  if (!parse_second(now)) return Error{Errc::invalid, "drift: now is no second"};
  auto first_seen = read_first_seen(previous_drift);
  if (!first_seen) return std::move(first_seen).error();
  DriftRows drift(*std::move(first_seen), now);
  for (const auto& source : sources) {
    const auto& schema = *source.schema;
    if (schema.key.empty()) {
      return Error{Errc::invalid, fmt::format("table {} has no key: no drift", schema.name)};
    }
    auto before = read_rows(schema, source.baseline);
    if (!before) return std::move(before).error().in("baseline");
    auto after = read_rows(schema, source.current);
    if (!after) return std::move(after).error();
    const auto columns = row_order(schema);
    for (const auto& [key, row] : *before) {
      const auto now_row = after->find(key);
      if (now_row == after->end()) {
        drift.add(schema.name, key, "removed", "", {}, {});
        continue;
      }
      for (std::size_t i = 0; i < columns.size(); ++i) {
        if (row[i] == now_row->second[i]) continue;
        drift.add(schema.name, key, "changed", columns[i]->name, as_text(row[i]),
                  as_text(now_row->second[i]));
      }
    }
    for (const auto& [key, row] : *after) {
      if (!before->contains(key)) drift.add(schema.name, key, "added", "", {}, {});
    }
  }
  return drift.blob();
}

}  // namespace vouch::policy
