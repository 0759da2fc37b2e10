// SPDX-License-Identifier: Apache-2.0
// What a command printed, as the rows of its table.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "collectors/sdk/declared.h"

namespace vouch::command {

enum class Format { jsonl, tsv, csv };

struct OutputForm {
  Format format = Format::jsonl;
  bool has_header = false;  // tsv, csv: the first line names the columns, in their order.
};

// Receives each record, with the number of its first line: its values in the order of the columns,
// or why it is no row. Errors never quote what was printed.
using RecordSink =
    std::function<void(std::size_t line, const Result<std::vector<sdk::Value>>& values)>;

// jsonl: one JSON object per line; empty lines are nothing. tsv: fields between tabs, no quotes.
// csv: RFC 4180. Errc::invalid: a header that says otherwise, a quote that nothing closes: nothing
// can be said of the rest.
Status read_output(const sdk::DeclaredTable& table, OutputForm form, std::string_view output,
                   const RecordSink& sink);

}  // namespace vouch::command
