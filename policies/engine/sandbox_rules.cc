// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/sandbox_rules.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>

#include "core/json.h"
#include "policies/engine/sql_functions.h"

namespace vouch::policy {
namespace {

// What a refused action is called in SQL.
std::string_view action_name(int action) {
  switch (action) {
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
      return "ATTACH";
    case SQLITE_PRAGMA:
      return "PRAGMA";
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
      return "a transaction";
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
      return "writing";
    case SQLITE_ANALYZE:
    case SQLITE_REINDEX:
      return "maintenance";
    default:
      return "changing the schema";
  }
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

constexpr int kCastNumeric = 67;  // SQLite's affinity letters: 'C' and 'E'.
constexpr int kCastReal = 69;

}  // namespace

void SandboxRules::begin(std::vector<std::string> readable) {
  on_ = true;
  reason_.clear();
  readable_ = std::move(readable);
  tables_.clear();
  columns_.clear();
}

bool SandboxRules::deny(std::string reason) {
  if (reason_.empty()) reason_ = std::move(reason);
  return false;
}

bool SandboxRules::allow(int action, std::string_view first, std::string_view second) {
  if (!on_) return true;
  // What SQLite does first, for CREATE and for a virtual table that nobody has used yet.
  const bool writes = action == SQLITE_INSERT || action == SQLITE_UPDATE;
  if (writes && first.starts_with("sqlite_")) {
    return deny("changing the schema, or a table of SQLite's own, is not allowed");
  }
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE:
      return true;
    case SQLITE_READ:
      return allow_read(first, second);
    case SQLITE_FUNCTION:
      break;
    default:
      return deny(fmt::format("{} is not allowed: a check is one SELECT", action_name(action)));
  }
  if (is_function_allowed(second)) return true;
  return deny(fmt::format("function {} is not on the list (docs/formats/packs.md)", second));
}

bool SandboxRules::allow_read(std::string_view table, std::string_view column) {
  if (contains(readable_, table)) {
    // SQLite's own spelling of the row's number; columns of ours are in lower case.
    if (column == "ROWID") return deny(fmt::format("rowid of {}: rows have no order", table));
    tables_.emplace(table);
    if (!column.empty()) columns_.emplace(table, column);
    return true;
  }
  if (table == "json_each") return true;
  // Without a column it can be the name of a WITH; the compiled program shows what it opens.
  const bool may_be_with =
      column.empty() && !table.starts_with("sqlite_") && !table.starts_with("pragma_");
  if (may_be_with) return true;
  return deny(fmt::format("table {} is not among the check's `tables`", table));
}

std::vector<std::string> SandboxRules::tables_read() const {
  return {tables_.begin(), tables_.end()};
}

std::vector<std::pair<std::string, std::string>> SandboxRules::columns_read() const {
  return {columns_.begin(), columns_.end()};
}

std::string broken_opcode_rule(const Opcode& opcode) {
  constexpr std::string_view kFloats = "floating-point numbers are not allowed: ";
  if (opcode.name == "Real") return fmt::format("{}a literal, or an integer over 64 bits", kFloats);
  if (opcode.name == "RealAffinity") return fmt::format("{}a REAL column", kFloats);
  if (opcode.name == "Cast" && (opcode.p2 == kCastNumeric || opcode.p2 == kCastReal)) {
    return fmt::format("{}CAST AS REAL or NUMERIC", kFloats);
  }
  if (opcode.name == "Affinity" && opcode.p4.find('E') != std::string_view::npos) {
    return fmt::format("{}a comparison with REAL", kFloats);
  }
  constexpr std::array<std::string_view, 10> kWriting = {
      "OpenWrite", "Vacuum",      "JournalMode", "AutoCommit", "CreateBtree",
      "Destroy",   "ParseSchema", "VUpdate",     "VCreate",    "VDestroy"};
  if (std::find(kWriting.begin(), kWriting.end(), opcode.name) != kWriting.end()) {
    return "writing is not allowed: a check is one SELECT";
  }
  return {};
}

Status check_statement(sqlite3_stmt* statement, QueryShape& shape) {
  const int columns = sqlite3_column_count(statement);
  if (columns == 0 || sqlite3_stmt_readonly(statement) == 0 ||
      sqlite3_stmt_isexplain(statement) != 0) {
    return Error{Errc::denied, "not a SELECT: a check is one SELECT"};
  }
  for (int i = 0; i < columns; ++i) {
    const char* name = sqlite3_column_name(statement, i);
    if (name == nullptr || !json::is_valid_utf8(name)) {
      return Error{Errc::invalid, "a result column has no valid name"};
    }
    if (contains(shape.result_columns, name)) {
      return Error{Errc::invalid,
                   fmt::format("two result columns are named \"{}\": name them with AS", name)};
    }
    shape.result_columns.emplace_back(name);
  }
  for (int i = 1; i <= sqlite3_bind_parameter_count(statement); ++i) {
    const char* name = sqlite3_bind_parameter_name(statement, i);
    if (name == nullptr || name[0] != ':') {
      return Error{Errc::invalid, "parameters are written :name"};
    }
    shape.parameters.emplace_back(name + 1);
  }
  std::sort(shape.parameters.begin(), shape.parameters.end());
  return Ok{};
}

void bind_cell(sqlite3_stmt* statement, int index, const Cell& cell) {
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) {
    sqlite3_bind_int64(statement, index, *integer);
  } else if (const auto* text = std::get_if<std::string_view>(&cell)) {
    // A null pointer would bind NULL.
    const char* bytes = text->data() == nullptr ? "" : text->data();
    sqlite3_bind_text(statement, index, bytes, static_cast<int>(text->size()), SQLITE_STATIC);
  } else {
    sqlite3_bind_null(statement, index);
  }
}

Status bind_parameters(sqlite3_stmt* statement, const Params& params, std::string_view now) {
  const auto bind_text = [&](int index, const std::string& text) {
    sqlite3_bind_text(statement, index, text.data(), static_cast<int>(text.size()),
                      SQLITE_TRANSIENT);
  };
  for (int i = 1; i <= sqlite3_bind_parameter_count(statement); ++i) {
    const std::string_view name = sqlite3_bind_parameter_name(statement, i) + 1;
    const auto param = params.find(name);
    if (param == params.end()) {
      if (name != "now") {
        return Error{Errc::invalid, fmt::format("parameter :{} is not among `params`", name)};
      }
      bind_text(i, std::string(now));
    } else if (const auto* integer = param->second.if_integer()) {
      sqlite3_bind_int64(statement, i, *integer);
    } else if (const auto* boolean = param->second.if_bool()) {
      sqlite3_bind_int64(statement, i, *boolean ? 1 : 0);
    } else if (const auto* text = param->second.if_string()) {
      bind_text(i, *text);
    } else {
      bind_text(i, json::write(param->second));
    }
  }
  return Ok{};
}

bool has_limit_without_order(std::string_view sql) {
  bool limit = false;
  bool order = false;
  std::string word;
  for (std::size_t i = 0; i <= sql.size(); ++i) {
    const char c = i < sql.size() ? sql[i] : ' ';
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (letter) {
      word += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
      continue;
    }
    limit = limit || word == "limit";
    order = order || word == "order";
    word.clear();
    if (c == '\'' || c == '"') i = std::min(sql.find(c, i + 1), sql.size());
    if (c == '-' && sql.substr(i).starts_with("--")) i = std::min(sql.find('\n', i), sql.size());
    if (c == '/' && sql.substr(i).starts_with("/*")) i = std::min(sql.find("*/", i), sql.size());
  }
  return limit && !order;
}

}  // namespace vouch::policy
