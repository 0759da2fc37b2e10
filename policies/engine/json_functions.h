// SPDX-License-Identifier: Apache-2.0
// SQLite's own json_extract, json_array_length and json_valid, with what they read counted: the
// call goes to a second connection that has nothing but SQLite's functions. (json_each copies its
// text, and what is allocated is counted anyhow.)
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "core/result.h"
#include "policies/engine/work.h"

struct sqlite3;
struct sqlite3_stmt;
struct sqlite3_context;
struct sqlite3_value;

namespace vouch::policy {

class JsonFunctions {
 public:
  explicit JsonFunctions(Work& work);
  ~JsonFunctions();
  JsonFunctions(const JsonFunctions&) = delete;
  JsonFunctions& operator=(const JsonFunctions&) = delete;

  // This must outlive the connection.
  Status register_on(sqlite3* database);

 private:
  struct Function;
  sqlite3_stmt* statement(const char* name, int arguments);
  void call(const char* name, sqlite3_context* context, int count, sqlite3_value** values);

  Work& work_;
  std::unique_ptr<Function[]> functions_;
  sqlite3* plain_ = nullptr;  // Opened by the first call.
  std::map<std::pair<std::string, int>, sqlite3_stmt*> statements_;
};

}  // namespace vouch::policy
