// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/json_functions.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <array>
#include <cstddef>

#include "core/sqlite_memory.h"

namespace vouch::policy {
namespace {

// What a call costs besides its text: bind, step, reset.
constexpr std::uint64_t kCallUnits = 50;
// A byte of JSON is looked at, copied and made a node of.
constexpr std::uint64_t kByteFactor = 4;
// As SQLite has them: name, number of arguments (-1: any).
struct Signature {
  const char* name;
  int arguments;
};
constexpr std::array kSignatures = {Signature{"json_extract", -1},
                                    Signature{"json_array_length", 1},
                                    Signature{"json_array_length", 2}, Signature{"json_valid", 1}};

}  // namespace

// The user data of one SQL function.
struct JsonFunctions::Function {
  JsonFunctions* owner = nullptr;
  const char* name = nullptr;

  static void call(sqlite3_context* context, int count, sqlite3_value** values) {
    const auto& function = *static_cast<Function*>(sqlite3_user_data(context));
    function.owner->call(function.name, context, count, values);
  }
};

JsonFunctions::JsonFunctions(Work& work) : work_(work) {}

JsonFunctions::~JsonFunctions() {
  for (const auto& [key, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(plain_);
}

Status JsonFunctions::register_on(sqlite3* database) {
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  functions_ = std::make_unique<Function[]>(kSignatures.size());
  for (std::size_t i = 0; i < kSignatures.size(); ++i) {
    const auto& [name, arguments] = kSignatures[i];
    functions_[i] = {this, name};
    if (sqlite3_create_function_v2(database, name, arguments, kFlags, &functions_[i],
                                   Function::call, nullptr, nullptr, nullptr) != SQLITE_OK) {
      return Error{Errc::other, fmt::format("SQL function {}: {}", name, sqlite3_errmsg(database))};
    }
  }
  return Ok{};
}

// Nullptr: SQLite has no such function, or no memory.
sqlite3_stmt* JsonFunctions::statement(const char* name, int arguments) {
  sqlite3_stmt*& made = statements_[{name, arguments}];
  if (made != nullptr) return made;
  const sqlite::AllocationPause kept_for_all_queries;
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX;
  if (plain_ == nullptr && sqlite3_open_v2(":memory:", &plain_, kFlags, nullptr) != SQLITE_OK) {
    sqlite3_close(plain_);
    return plain_ = nullptr, nullptr;
  }
  std::string marks;
  for (int i = 0; i < arguments; ++i) marks += i == 0 ? "?" : ",?";
  const auto sql = fmt::format("SELECT {}({})", name, marks);
  sqlite3_prepare_v2(plain_, sql.c_str(), -1, &made, nullptr);
  return made;
}

void JsonFunctions::call(const char* name, sqlite3_context* context, int count,
                         sqlite3_value** values) {
  work_.add(kCallUnits);
  for (int i = 0; i < count; ++i) {
    work_.add_bytes(kByteFactor * static_cast<std::uint64_t>(sqlite3_value_bytes(values[i])));
  }
  if (work_.is_over()) return sqlite3_result_error(context, "too much work", -1);
  auto* const prepared = statement(name, count);
  if (prepared == nullptr) {
    const char* reason = plain_ == nullptr ? "out of memory" : sqlite3_errmsg(plain_);
    return sqlite3_result_error(context, reason, -1);
  }
  for (int i = 0; i < count; ++i) sqlite3_bind_value(prepared, i + 1, values[i]);
  if (sqlite3_step(prepared) == SQLITE_ROW) {
    sqlite3_result_value(context, sqlite3_column_value(prepared, 0));
  } else {
    sqlite3_result_error(context, sqlite3_errmsg(plain_), -1);
  }
  sqlite3_reset(prepared);
  sqlite3_clear_bindings(prepared);
}

}  // namespace vouch::policy
