// SPDX-License-Identifier: Apache-2.0
// What a collector's function is given: the root to examine, the options, and where rows and gaps
// go.
#pragma once

#include <any>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeindex>
#include <utility>
#include <variant>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "core/root.h"

namespace vouch::sdk {

class Answer;    // collectors/sdk/answer.h: writes the lines of the protocol.
struct Request;  // collectors/sdk/request.h

// One cell. Holds a view: the row is encoded before add() returns. A `time` column takes an
// integer, seconds since 1970 (or text in the form of a *second*).
class Cell {
 public:
  Cell(std::nullptr_t) {}
  Cell(std::nullopt_t) {}
  Cell(std::string_view value) : data_(value) {}
  Cell(const std::string& value) : data_(std::string_view(value)) {}
  Cell(const char* value) : data_(std::string_view(value)) {}
  template <std::same_as<bool> T>
  Cell(T value) : data_(value) {}
  // Unsigned types of 64 bits are left out on purpose: a cell is an int64.
  template <std::integral T>
  requires(!std::same_as<T, bool> && !std::same_as<T, char> &&
           (std::signed_integral<T> || sizeof(T) < sizeof(std::int64_t))) Cell(T value)
      : data_(static_cast<std::int64_t>(value)) {}
  template <typename T>
  Cell(const std::optional<T>& value) {
    if (value) *this = Cell(*value);
  }

  using Data = std::variant<std::monostate, bool, std::int64_t, std::string_view>;
  [[nodiscard]] const Data& data() const { return data_; }

 private:
  Data data_;
};

// Where the rows of one table go.
class Rows {
 public:
  Rows(Answer& answer, std::string_view table) : answer_(answer), table_(table) {}
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  // A row: one cell per declared column, in that order, without `occurrence`. Escapes, redacts and
  // writes it. A row that the format cannot hold (a cell over 64 KiB) or whose key is already there
  // with other values becomes a gap; an exact repetition is dropped; invalid UTF-8 in a text column
  // is escaped like a bytes column. Cells that contradict the manifest, or more rows than a table
  // may have, turn the table into an error.
  void add(std::initializer_list<Cell> cells);
  void add(const std::vector<Cell>& cells);

  // Says that `object` (a path, an account) could not be examined for this table.
  void gap(std::string_view object, const Error& error);

  // The cache token, before any row. `token` states, in at most 64 KiB, all that the rows depend
  // on. True: the rows of the last run were made from the same; return at once, `unchanged` is the
  // answer. False: emit the rows. A table with gaps is always collected anew.
  [[nodiscard]] bool unchanged(std::string_view token);
  // States the token of the rows without asking: they were made anew although it may be the same.
  void set_token(std::string_view token);

 private:
  void add_cells(const Cell* cells, std::size_t count);
  Answer& answer_;
  std::string_view table_;
};

class Context {
 public:
  Context(const Request& request, const Root& root, Answer& answer);

  [[nodiscard]] const Root& root() const { return root_; }
  // True if the running host itself is examined: its kernel and tools may be asked.
  [[nodiscard]] bool is_host() const { return root_.is_host(); }

  [[nodiscard]] std::string text_option(std::string_view name, std::string_view fallback) const;
  [[nodiscard]] std::vector<std::string> texts_option(std::string_view name,
                                                      std::vector<std::string> fallback) const;
  [[nodiscard]] std::int64_t integer_option(std::string_view name, std::int64_t fallback) const;
  [[nodiscard]] bool boolean_option(std::string_view name, bool fallback) const;
  // Views into the request, which outlives the context. Empty if the option is not given.
  [[nodiscard]] std::vector<const json::Value*> objects_option(std::string_view name) const;

  // Writable directory that survives between runs; empty if none was granted.
  [[nodiscard]] const std::string& cache_dir() const;
  // What is left until the runner kills; give it to child processes. Never negative.
  [[nodiscard]] std::chrono::milliseconds remaining() const;
  [[nodiscard]] WallSeconds now() const;  // For "is it older than": never put into a row.

  // What several tables of one run are made from: `make` is called for the first, the others get
  // what it gave. One for each type; the reference holds to the end of the run.
  template <typename Make>
  const std::invoke_result_t<Make>& once(Make make) {
    using Made = std::invoke_result_t<Make>;
    std::any& made = made_[typeid(Made)];
    if (!made.has_value()) made = make();
    return *std::any_cast<Made>(&made);
  }

  // Notes for the operator, no evidence: level `debug`, `info` or `warn`.
  void log(std::string_view level, std::string_view message);

 private:
  const Request& request_;
  const Root& root_;
  Answer& answer_;
  std::chrono::steady_clock::time_point deadline_;
  std::map<std::type_index, std::any> made_;
};

}  // namespace vouch::sdk
