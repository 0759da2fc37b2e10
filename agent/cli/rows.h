// SPDX-License-Identifier: Apache-2.0
// Rows of tables and findings for people and for programs.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "core/text_table.h"

namespace vouch::cli {

// The rows of a table blob.
Result<std::vector<json::Object>> read_rows(std::string_view blob);

// A table of at most `rows_max` rows, with a last line that says how many are left out. `columns`
// gives the order; empty: by name. Null is an empty cell.
std::string rows_as_text(const std::vector<json::Object>& rows,
                         const std::vector<std::string>& columns, std::size_t rows_max,
                         const TerminalStyle& style);
json::Value rows_as_json(const std::vector<json::Object>& rows);

// Lines of text, each behind `indent` and through printable().
std::string indented(std::string_view text, std::string_view indent);
// Prose: its line feeds are blanks, broken anew at blanks to fit the width.
std::string wrapped(std::string_view text, std::string_view indent, const TerminalStyle& style);

}  // namespace vouch::cli
