// SPDX-License-Identifier: Apache-2.0
// One run of a collector, as the runner sees it: the request it writes, and the strict reading of
// what comes back (docs/formats/collector-protocol.md). No I/O, no clock.
//
//   OutputParser parser(manifest, request);
//   while (more bytes) if (!parser.feed(bytes)) stop the child;
//   auto result = parser.finish();
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "proto/manifest.h"

namespace vouch {

struct RunRequest {
  std::string run;                  // Run id.
  std::vector<std::string> tables;  // Those to answer; "gaps" among them, always.
  json::Value options = json::Object{};
  std::string root = "/";
  std::int64_t deadline_ms = 0;
  std::map<std::string, std::string> cache;  // Table: token of that table's last answer.
  std::optional<std::string> cache_dir;
};

std::string write_request(const RunRequest& request);  // One line with its LF.
Result<RunRequest> parse_request(std::string_view line);

// Why a run is run-failed. The first thirteen are found here; the runner finds the rest.
enum class Violation {
  no_end,
  after_end,
  count_mismatch,
  missing_table,
  undeclared,
  wrong_type,
  duplicate_key,
  protocol,
  cache,
  line_too_long,
  output_too_large,
  bad_utf8,
  nul,
  bad_json,
  exit,
  signal,
  limit,
  deadline,
  crash,
};
std::string_view to_string(Violation violation);  // "no-end": the `reason` of a record.
Result<Violation> parse_violation(std::string_view text);

struct RunViolation {
  Violation reason;
  std::int64_t line = 0;  // From 1; the only thing kept of the output.
  std::string message;    // "line 17: column \"uid\" has the wrong type": no content of the line.
};

struct TableAnswer {
  enum class Kind { table, unchanged, error };
  std::string name;
  Kind kind = Kind::table;
  TableBlob blob;          // Kind::table.
  std::string error_code;  // Kind::error.
  std::string error_message;
  std::optional<std::string> cache_token;  // For the next request.
};

struct LogLine {
  std::string level;  // debug, info, warn
  std::string message;
};

struct Snapshot {
  std::vector<TableAnswer> tables;  // One per requested table, in the order of the request.
  std::vector<LogLine> log;         // At most kLogLinesMax.
  std::int64_t log_lines_left_out = 0;

  [[nodiscard]] const TableAnswer* find(std::string_view table) const;
};

inline constexpr std::size_t kLogLinesMax = 1000;

// Reads the output in pieces of any size. A table that outgrows a limit of blobs (64 MiB raw, a
// cell over 64 KiB) becomes an error `too-large`; everything else that is not right is a violation,
// which ends the run. Memory stays bounded by kBundleBlobBytesMax, whatever the collector prints.
class OutputParser {
 public:
  OutputParser(const Manifest& manifest, RunRequest request);
  ~OutputParser();
  OutputParser(OutputParser&&) noexcept;
  OutputParser& operator=(OutputParser&&) noexcept;

  // False once the output is in violation: stop reading, kill the child.
  [[nodiscard]] bool feed(std::string_view bytes);
  // After the end of the output. May be called once.
  [[nodiscard]] std::variant<Snapshot, RunViolation> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vouch
