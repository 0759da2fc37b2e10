// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/sandbox.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "core/sqlite_memory.h"
#include "policies/engine/json_functions.h"
#include "policies/engine/sandbox_rules.h"
#include "policies/engine/sql_functions.h"
#include "proto/limits.h"
#include "proto/names.h"

namespace vouch::policy {
namespace {

constexpr int kProgressInstructions = 100;
constexpr std::string_view kInstanceColumn = "instance";

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using StatementHandle = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

std::string quoted(std::string_view name) {
  return fmt::format("\"{}\"", name);
}

// The bounds of sqlite3_limit. Those of length bound what one instruction can make.
void set_limits(sqlite3* database) {
  constexpr std::pair<int, int> kLimits[] = {
      {SQLITE_LIMIT_LENGTH, 1 << 20},
      {SQLITE_LIMIT_SQL_LENGTH, static_cast<int>(kSqlBytesMax) + 64},
      {SQLITE_LIMIT_COLUMN, 256},
      {SQLITE_LIMIT_EXPR_DEPTH, 100},
      {SQLITE_LIMIT_COMPOUND_SELECT, 50},
      {SQLITE_LIMIT_VDBE_OP, 25'000},
      {SQLITE_LIMIT_FUNCTION_ARG, 32},
      {SQLITE_LIMIT_ATTACHED, 0},
      {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 256},
      {SQLITE_LIMIT_VARIABLE_NUMBER, 64},
      {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
      {SQLITE_LIMIT_WORKER_THREADS, 0},
  };
  for (const auto& [limit, value] : kLimits) sqlite3_limit(database, limit, value);
}

void set_switches(sqlite3* database) {
  constexpr std::pair<int, int> kSwitches[] = {
      {SQLITE_DBCONFIG_DEFENSIVE, 1},
      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
      {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
      {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
      {SQLITE_DBCONFIG_DQS_DML, 0},
      {SQLITE_DBCONFIG_DQS_DDL, 0},
      {SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0},
      {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
      {SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0},
  };
  for (const auto& [option, value] : kSwitches) {
    sqlite3_db_config(database, option, value, nullptr);
  }
}

// A cell of the result, as a finding holds it. Nullptr-like Error: floats, blobs, no UTF-8.
Result<json::Value> read_cell(sqlite3_stmt* statement, int column) {
  const auto bad = [&](std::string_view what) {
    return Error{Errc::invalid, fmt::format("column {} of the result is {}",
                                            sqlite3_column_name(statement, column), what)};
  };
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_NULL:
      return json::Value();
    case SQLITE_INTEGER:
      return integer_cell(sqlite3_column_int64(statement, column));
    case SQLITE_FLOAT:
      return bad("a floating-point number (overflow, or arithmetic on text)");
    case SQLITE_BLOB:
      return bad("a blob");
    default:
      break;
  }
  const void* bytes = sqlite3_column_text(statement, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
  std::string text(static_cast<const char*>(bytes), size);
  if (text.find('\0') != std::string::npos || !json::is_valid_utf8(text)) return bad("not UTF-8");
  if (size > kCellBytesMax) return bad("a text over 64 KiB");
  return json::Value(std::move(text));
}

}  // namespace

struct Sandbox::State {
  SandboxLimits limits;
  Work work;
  JsonFunctions json_functions{work};
  std::unique_ptr<sqlite3, CloseDatabase> database;
  SandboxRules rules;
  std::map<std::string, int, std::less<>> root_pages;  // Table: root page, as EXPLAIN names it.
  std::string json_each_opcode;                        // P4 of json_each's VOpen.
  std::map<std::string, QueryShape> inspected;         // By SQL and what it may read.
  const sqlite::AllocationMeter* meter = nullptr;      // Of the query that runs.
  std::uint64_t allocated = 0;                         // What of it is in `work`.

  static int on_progress(void* context) {
    auto& state = *static_cast<State*>(context);
    state.work.add(kProgressInstructions);
    state.count_allocations();
    return state.work.is_over() ? 1 : 0;
  }

  void count_allocations() {
    work.add_bytes(meter->allocated() - allocated);
    allocated = meter->allocated();
  }

  // SQLite's own order of texts. That of two long ones with a common beginning takes as long as
  // a thousand instructions.
  static int compare_texts(void* context, int a_size, const void* a, int b_size, const void* b) {
    const auto common = static_cast<std::size_t>(std::min(a_size, b_size));
    static_cast<State*>(context)->work.add_bytes(common);
    const int order = common == 0 ? 0 : std::memcmp(a, b, common);
    return order != 0 ? order : a_size - b_size;
  }

  static int on_authorize(void* context, int action, const char* first, const char* second,
                          const char*, const char*) {
    auto& rules = static_cast<State*>(context)->rules;
    const auto view = [](const char* text) {
      return text == nullptr ? "" : std::string_view(text);
    };
    return rules.allow(action, view(first), view(second)) ? SQLITE_OK : SQLITE_DENY;
  }

  [[nodiscard]] Error sqlite_error() const {
    return {Errc::invalid, sqlite3_errmsg(database.get())};
  }

  // Our own statements, outside the rules.
  Status execute(const std::string& sql) {
    if (sqlite3_exec(database.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
      return sqlite_error();
    }
    return Ok{};
  }

  // Under the rules, if they are on. A statement is all of `sql`.
  Result<StatementHandle> prepare(std::string_view sql) {
    sqlite3_stmt* statement = nullptr;
    const char* tail = nullptr;
    const int code = sqlite3_prepare_v2(database.get(), sql.data(), static_cast<int>(sql.size()),
                                        &statement, &tail);
    StatementHandle handle(statement);
    if (rules.denied()) return Error{Errc::denied, rules.reason()};
    if (code == SQLITE_TOOBIG) return Error{Errc::too_large, "the SQL is too long"};
    if (code != SQLITE_OK) return sqlite_error();
    if (!handle) return Error{Errc::invalid, "there is no SQL"};
    std::string_view rest(tail, static_cast<std::size_t>(sql.data() + sql.size() - tail));
    if (rest.find_first_not_of(" \t\r\n;") != std::string_view::npos) {
      return Error{Errc::denied, "more than one statement: a check is one SELECT"};
    }
    return handle;
  }

  Status explain(std::string_view sql);
  Result<StatementHandle> compile(std::string_view sql, std::span<const std::string> readable,
                                  QueryShape& shape);
};

// Reads the program that SQLite made of the SQL: what it opens, and whether it makes floats.
Status Sandbox::State::explain(std::string_view sql) {
  auto program = prepare("EXPLAIN " + std::string(sql));
  if (!program) return std::move(program).error();
  std::set<int> pages;
  for (const auto& name : rules.tables_read()) {
    if (const auto it = root_pages.find(name); it != root_pages.end()) pages.insert(it->second);
  }
  const auto text = [&](int column) {
    const void* bytes = sqlite3_column_text(program->get(), column);
    return std::string_view(bytes == nullptr ? "" : static_cast<const char*>(bytes));
  };
  while (sqlite3_step(program->get()) == SQLITE_ROW) {
    const Opcode opcode{text(1), sqlite3_column_int(program->get(), 2),
                        sqlite3_column_int(program->get(), 3), text(5)};
    if (opcode.name == "OpenRead" && !pages.contains(opcode.p2)) {
      return Error{Errc::denied, "it reads a table that the check does not declare"};
    }
    if (opcode.name == "VOpen" && opcode.p4 != json_each_opcode) {
      return Error{Errc::denied, "it reads a table of SQLite's own"};
    }
    if (const auto broken = broken_opcode_rule(opcode); !broken.empty()) {
      return Error{Errc::denied, broken};
    }
  }
  return Ok{};
}

Result<StatementHandle> Sandbox::State::compile(std::string_view sql,
                                                std::span<const std::string> readable,
                                                QueryShape& shape) {
  if (sql.size() > kSqlBytesMax) return Error{Errc::too_large, "the SQL is over 32 KiB"};
  std::string key(sql);
  for (const auto& table : readable) key += '\0' + table;
  rules.begin({readable.begin(), readable.end()});
  auto statement = prepare(sql);
  if (const auto it = inspected.find(key); statement && it != inspected.end()) {
    shape = it->second;
    return statement;
  }
  if (!statement) return rules.end(), std::move(statement).error();
  auto* handle = statement->get();
  Status checked = check_statement(handle, shape);
  if (checked) checked = explain(sql);
  if (!checked) return rules.end(), std::move(checked).error();
  shape.tables = rules.tables_read();
  shape.columns = rules.columns_read();
  shape.limit_without_order = has_limit_without_order(sql);
  inspected.emplace(std::move(key), shape);
  return statement;
}

Sandbox::Sandbox(std::unique_ptr<State> state) : state_(std::move(state)) {}
Sandbox::Sandbox(Sandbox&&) noexcept = default;
Sandbox& Sandbox::operator=(Sandbox&&) noexcept = default;
Sandbox::~Sandbox() = default;

Result<Sandbox> Sandbox::open(const SandboxLimits& limits) {
  if (auto counted = sqlite::count_allocations(); !counted) return std::move(counted).error();
  auto state = std::make_unique<State>();
  state->limits = limits;
  sqlite3* database = nullptr;
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(":memory:", &database, kFlags, nullptr);
  state->database.reset(database);
  if (code != SQLITE_OK) return Error{Errc::other, "SQLite cannot open a database in memory"};
  set_switches(database);
  auto ready = register_functions(database, &state->work);
  if (ready) ready = state->json_functions.register_on(database);
  if (ready && sqlite3_create_collation_v2(database, "BINARY", SQLITE_UTF8, state.get(),
                                           State::compare_texts, nullptr) != SQLITE_OK) {
    ready = state->sqlite_error();
  }
  if (ready) {
    ready = state->execute(
        "PRAGMA temp_store=MEMORY; PRAGMA journal_mode=OFF; PRAGMA cell_size_check=OFF");
  }
  if (!ready) return std::move(ready).error().in("sandbox");
  auto program = state->prepare("EXPLAIN SELECT 1 FROM json_each('[]')");
  if (!program) return std::move(program).error().in("sandbox");
  while (sqlite3_step(program->get()) == SQLITE_ROW) {
    const void* name = sqlite3_column_text(program->get(), 1);
    const void* p4 = sqlite3_column_text(program->get(), 5);
    if (std::string_view(static_cast<const char*>(name)) == "VOpen" && p4 != nullptr) {
      state->json_each_opcode = static_cast<const char*>(p4);
    }
  }
  set_limits(database);
  sqlite3_set_authorizer(database, State::on_authorize, state.get());
  return Sandbox(std::move(state));
}

Status Sandbox::add_table(const TableSchema& schema) {
  std::string columns;
  for (const auto& column : schema.columns) {
    if (!is_plain_name(column.name)) return Error{Errc::invalid, "bad column " + column.name};
    const bool is_integer =
        column.type == ColumnType::integer || column.type == ColumnType::boolean;
    columns += fmt::format("{}{} {}", columns.empty() ? "" : ",", quoted(column.name),
                           is_integer ? "INTEGER" : "TEXT");
  }
  if (!is_plain_name(schema.name)) return Error{Errc::invalid, "bad table " + schema.name};
  auto made =
      state_->execute(fmt::format("CREATE TABLE {} ({}) STRICT", quoted(schema.name), columns));
  if (!made) return std::move(made).error().in("table " + schema.name);
  auto page = state_->prepare(
      fmt::format("SELECT rootpage FROM sqlite_schema WHERE name = '{}'", schema.name));
  if (!page) return std::move(page).error();
  if (sqlite3_step(page->get()) != SQLITE_ROW) return state_->sqlite_error();
  state_->root_pages[schema.name] = sqlite3_column_int(page->get(), 0);
  state_->inspected.clear();
  return Ok{};
}

Status Sandbox::load(const TableSchema& schema, std::string_view blob,
                     std::optional<std::string_view> instance) {
  std::string names;
  std::string marks;
  const auto columns = row_order(schema);
  for (const auto* column : columns) {
    names += quoted(column->name) + ",";
    marks += "?,";
  }
  if (instance) {
    names += quoted(kInstanceColumn) + ",";
    marks += "?,";
  }
  if (columns.empty()) return Error{Errc::invalid, "table " + schema.name + " has no columns"};
  names.pop_back();
  marks.pop_back();
  auto insert = state_->prepare(
      fmt::format("INSERT INTO {} ({}) VALUES ({})", quoted(schema.name), names, marks));
  if (!insert) return std::move(insert).error().in("table " + schema.name);
  auto* statement = insert->get();
  auto begun = state_->execute("BEGIN");
  if (!begun) return begun;
  auto loaded = scan_rows(schema, blob, [&](std::span<const Cell> row) -> Status {
    int index = 0;
    for (const auto& cell : row) bind_cell(statement, ++index, cell);
    if (instance) bind_cell(statement, ++index, Cell(*instance));
    const int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    if (code != SQLITE_DONE) return state_->sqlite_error().in("table " + schema.name);
    return Ok{};
  });
  auto committed = state_->execute("COMMIT");
  if (!loaded) return loaded;
  return committed;
}

bool Sandbox::has_table(std::string_view name) const {
  return state_->root_pages.contains(name);
}

Result<QueryShape> Sandbox::inspect(std::string_view sql, std::span<const std::string> readable) {
  QueryShape shape;
  auto statement = state_->compile(sql, readable, shape);
  if (!statement) return std::move(statement).error();
  state_->rules.end();
  return shape;
}

Result<QueryResult> Sandbox::query(std::string_view sql, std::span<const std::string> readable,
                                   const Params& params, std::string_view now) {
  QueryShape shape;
  auto compiled = state_->compile(sql, readable, shape);
  if (!compiled) return std::move(compiled).error();
  auto* statement = compiled->get();
  // The rules stay on: SQLite may compile again at the first step.
  auto bound = bind_parameters(statement, params, now);
  if (!bound) return state_->rules.end(), std::move(bound).error();
  const sqlite::AllocationMeter meter(state_->limits.memory_bytes_max);
  state_->work = {0, state_->limits.work_max};
  state_->meter = &meter;
  state_->allocated = 0;
  auto* database = state_->database.get();
  sqlite3_progress_handler(database, kProgressInstructions, State::on_progress, state_.get());

  QueryResult result{shape.result_columns, {}};
  Status status = Ok{};
  std::size_t bytes = 0;
  int code = SQLITE_ROW;
  while (status && (code = sqlite3_step(statement)) == SQLITE_ROW) {
    json::Object row;
    for (int column = 0; status && column < sqlite3_column_count(statement); ++column) {
      bytes += static_cast<std::size_t>(sqlite3_column_bytes(statement, column)) + 32;
      auto cell = read_cell(statement, column);
      if (!cell)
        status = std::move(cell).error();
      else
        row.emplace(result.columns[static_cast<std::size_t>(column)], *std::move(cell));
    }
    result.rows.push_back(std::move(row));
    if (result.rows.size() > state_->limits.rows_max || bytes > state_->limits.result_bytes_max) {
      status = Error{Errc::too_large,
                     fmt::format("over {} rows or {} MiB of result", state_->limits.rows_max,
                                 state_->limits.result_bytes_max >> 20)};
    }
  }
  sqlite3_progress_handler(database, 0, nullptr, nullptr);
  state_->count_allocations();
  if (status && code != SQLITE_DONE) status = state_->sqlite_error();
  if (state_->work.is_over()) {
    status = Error{Errc::too_large, fmt::format("over {} million units of work",
                                                state_->limits.work_max / 1'000'000)};
  } else if (meter.is_exceeded()) {
    status = Error{Errc::too_large,
                   fmt::format("over {} MiB of memory", state_->limits.memory_bytes_max >> 20)};
  }
  state_->rules.end();
  if (!status) return std::move(status).error();
  return result;
}

}  // namespace vouch::policy
