// SPDX-License-Identifier: Apache-2.0
// SQL that strangers wrote, over tables in memory: an SQLite without files, clock, chance, floats
// or state, bounded in work and memory (docs/formats/replay.md). Only files of this room and
// core/sqlite include sqlite3.h.
//
// Use: open(), add_table() for what is read, then query() any number of times.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "policies/engine/pack.h"
#include "policies/engine/table.h"

namespace vouch::policy {

struct SandboxLimits {
  std::uint64_t work_max = 100'000'000;       // Units of work.h.
  std::size_t memory_bytes_max = 256u << 20;  // Of SQLite, for the query: beyond the tables.
  std::size_t rows_max = 100'000;
  std::size_t result_bytes_max = 64u << 20;
};

// What a query reads; known once it is compiled.
struct QueryShape {
  std::vector<std::string> tables;                           // Sorted.
  std::vector<std::pair<std::string, std::string>> columns;  // (table, column), sorted.
  std::vector<std::string> parameters;                       // Without the colon, sorted.
  std::vector<std::string> result_columns;                   // In the query's order.
  bool limit_without_order = false;                          // A lint.
};

struct QueryResult {
  std::vector<std::string> columns;
  std::vector<json::Object> rows;  // In the query's order.
};

class Sandbox {
 public:
  static Result<Sandbox> open(const SandboxLimits& limits = {});
  Sandbox(Sandbox&&) noexcept;
  Sandbox& operator=(Sandbox&&) noexcept;
  ~Sandbox();

  // Makes an empty table. Tables of one name may be made once.
  Status add_table(const TableSchema& schema);
  // Adds the rows of a table blob to it. `instance` fills the column of that name, where the
  // schema given to add_table() has it and the blob has not.
  Status load(const TableSchema& schema, std::string_view blob,
              std::optional<std::string_view> instance = std::nullopt);
  [[nodiscard]] bool has_table(std::string_view name) const;

  // Compiles under every rule and runs nothing. Errc::denied: a rule forbids it; Errc::invalid: SQL
  // that SQLite refuses. `readable` are the tables that it may name (those declared).
  Result<QueryShape> inspect(std::string_view sql, std::span<const std::string> readable);
  // Errc::too_large: over a bound; Errc::invalid: a REAL or BLOB in the result, a failing function.
  // Every parameter that the query names must be in `params` or be `now`.
  Result<QueryResult> query(std::string_view sql, std::span<const std::string> readable,
                            const Params& params, std::string_view now);

 private:
  struct State;
  explicit Sandbox(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vouch::policy
