// SPDX-License-Identifier: Apache-2.0
// Writes the lines of one run's answer, so that every requested table gets exactly one answer and
// the counts of the `end` line are right. Used by Rows, Context and run; collectors do not see it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "collectors/sdk/context.h"
#include "collectors/sdk/manifest.h"
#include "collectors/sdk/request.h"
#include "core/result.h"

namespace vouch::sdk {

// The code of an `error` line or a `gaps` row: one of the eight of docs/formats/records.md.
std::string_view protocol_code(Errc code);

class Answer {
 public:
  using Sink = std::function<bool(std::string_view)>;
  Answer(const Collector& collector, const Request& request, Sink sink);

  // One table after the other: begin, rows, then end with how its function ended.
  void begin_table(std::size_t index);
  void add_row(const Cell* cells, std::size_t count);
  bool unchanged(std::string_view token);
  void set_token(std::string_view token);
  void end_table(const Status& status);

  void gap(std::string_view table, std::string_view object, const Error& error);
  void log(std::string_view level, std::string_view message);
  // Writes the gaps and the `end` line. Errc::unavailable if the sink refused some bytes.
  Status finish();

 private:
  struct Row;
  // The state of the table between begin and end.
  struct Current {
    std::size_t index = 0;
    std::int64_t rows = 0;
    std::size_t bytes = 0;
    bool header_written = false;
    bool is_unchanged = false;
    bool has_gaps = false;
    std::optional<std::string> token;
    std::optional<Error> fault;                         // Turns the table into an error.
    std::unordered_map<std::string, std::size_t> keys;  // Key → hash of the row, or count.
  };

  const Table& table() const { return collector_.tables[current_.index]; }
  std::optional<Error> encode_row(const Cell* cells, std::size_t count, Row& row);
  void write_header();
  void write_cache();
  void write_error(const Error& error);
  void write(std::string_view line);
  void flush();

  const Collector& collector_;
  const Request& request_;
  Sink sink_;
  std::string buffer_;
  std::string line_;  // Reused for each row.
  Current current_;
  std::vector<std::pair<std::string_view, std::int64_t>> counts_;
  std::int64_t unchanged_count_ = 0;
  std::int64_t error_count_ = 0;
  std::set<std::pair<std::string, std::string>> gap_keys_;
  std::string gap_lines_;
  bool sink_refused_ = false;
};

}  // namespace vouch::sdk
