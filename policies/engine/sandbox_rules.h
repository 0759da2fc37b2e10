// SPDX-License-Identifier: Apache-2.0
// The rules that a check's SQL is compiled under: which actions, tables and functions SQLite's
// authorizer lets pass, and which instructions may stand in the compiled program. A part of
// sandbox.cc, kept apart because it is what an auditor of the engine reads.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "policies/engine/pack.h"
#include "policies/engine/sandbox.h"
#include "policies/engine/table.h"

struct sqlite3_stmt;

namespace vouch::policy {

// The authorizer. Between begin() and end() the rules hold; outside, the sandbox's own statements
// run. It notes what is read, and the first thing that was refused.
class SandboxRules {
 public:
  void begin(std::vector<std::string> readable);
  void end() { on_ = false; }
  bool allow(int action, std::string_view first, std::string_view second);

  [[nodiscard]] bool denied() const { return on_ && !reason_.empty(); }
  [[nodiscard]] const std::string& reason() const { return reason_; }
  [[nodiscard]] std::vector<std::string> tables_read() const;
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> columns_read() const;

 private:
  bool allow_read(std::string_view table, std::string_view column);
  bool deny(std::string reason);

  bool on_ = false;
  std::string reason_;
  std::vector<std::string> readable_;
  std::set<std::string> tables_;
  std::set<std::pair<std::string, std::string>> columns_;
};

// One row of EXPLAIN.
struct Opcode {
  std::string_view name;
  int p1 = 0;
  int p2 = 0;
  std::string_view p4;
};

// Why the instruction may not stand in a check's program; empty: it may. Floats, and writing.
std::string broken_opcode_rule(const Opcode& opcode);

// One SELECT with distinct result columns and named parameters. Fills parameters and
// result_columns.
Status check_statement(sqlite3_stmt* statement, QueryShape& shape);

void bind_cell(sqlite3_stmt* statement, int index, const Cell& cell);
Status bind_parameters(sqlite3_stmt* statement, const Params& params, std::string_view now);

// A rough look at the text: LIMIT and no ORDER BY, outside of quotes and comments.
bool has_limit_without_order(std::string_view sql);

}  // namespace vouch::policy
