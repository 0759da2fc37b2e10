// SPDX-License-Identifier: Apache-2.0
// scan_rows(): the fast path of judging. It reads exactly the canonical form, so that it needs no
// tree of values: a row is the columns in order, each at a place that is known beforehand.
#include <fmt/format.h>

#include <charconv>
#include <string>

#include "core/clock.h"
#include "core/json.h"
#include "policies/engine/table.h"

namespace vouch::policy {
namespace {

// Walks one line. Every function returns false at the first byte that is not canonical.
class LineScanner {
 public:
  explicit LineScanner(std::string_view line) : rest_(line) {}

  bool take(std::string_view literal) {
    if (!rest_.starts_with(literal)) return false;
    rest_.remove_prefix(literal.size());
    return true;
  }

  // A JSON string; `view` is into the line, or into `buffer` if there were escapes.
  bool take_string(std::string_view& view, std::string& buffer) {
    if (!take("\"")) return false;
    const auto plain = rest_.find_first_of("\"\\");
    if (plain == std::string_view::npos) return false;
    if (rest_[plain] == '"') {
      view = rest_.substr(0, plain);
      rest_.remove_prefix(plain + 1);
      return !has_control(view);
    }
    buffer.clear();
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') {
        view = buffer;
        return true;
      }
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') {
        buffer += c;
      } else if (!take_escape(buffer)) {
        return false;
      }
    }
    return false;
  }

  bool take_integer(std::int64_t& value) {
    const char* begin = rest_.data();
    const auto [end, error] = std::from_chars(begin, begin + rest_.size(), value);
    if (error != std::errc{} || end == begin) return false;
    const std::string_view digits(begin, static_cast<std::size_t>(end - begin));
    if (digits != "0" && (digits[0] == '0' || digits.starts_with("-0"))) return false;
    rest_.remove_prefix(digits.size());
    return value >= -json::kIntegerMax && value <= json::kIntegerMax;
  }

  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  static bool has_control(std::string_view text) {
    for (const char c : text) {
      if (static_cast<unsigned char>(c) < 0x20) return true;
    }
    return false;
  }

  // The escapes that RFC 8785 writes, and no other.
  bool take_escape(std::string& out) {
    if (rest_.empty()) return false;
    constexpr std::string_view kNames = "\"\\bfnrt";
    constexpr std::string_view kBytes = "\"\\\b\f\n\r\t";
    const auto known = kNames.find(rest_.front());
    if (known != std::string_view::npos) {
      out += kBytes[known];
      rest_.remove_prefix(1);
      return true;
    }
    if (!take("u00") || rest_.size() < 2) return false;
    unsigned value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + 2, value, 16);
    if (error != std::errc{} || end != rest_.data() + 2) return false;
    const bool upper = rest_[1] >= 'A' && rest_[1] <= 'F';
    const char byte = static_cast<char>(value);
    if (value == 0 || value >= 0x20 || upper || kBytes.find(byte) != std::string_view::npos) {
      return false;
    }
    out += byte;
    rest_.remove_prefix(2);
    return true;
  }

  std::string_view rest_;
};

// An integer outside the range of a JSON number, as its decimal string.
bool parse_big_integer(std::string_view text, std::int64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return false;
  if (value >= -json::kIntegerMax && value <= json::kIntegerMax) return false;
  return std::to_string(value) == text;
}

bool take_cell(LineScanner& line, const Column& column, Cell& cell, std::string& buffer) {
  if (line.take("null")) {
    cell = std::monostate{};
    return column.nullable;
  }
  switch (column.type) {
    case ColumnType::boolean:
      if (line.take("true")) return cell = std::int64_t{1}, true;
      if (line.take("false")) return cell = std::int64_t{0}, true;
      return false;
    case ColumnType::integer: {
      std::int64_t value = 0;
      if (line.take_integer(value)) return cell = value, true;
      std::string_view text;
      if (!line.take_string(text, buffer) || !parse_big_integer(text, value)) return false;
      cell = value;
      return true;
    }
    case ColumnType::text:
    case ColumnType::bytes:
    case ColumnType::time:
      break;
  }
  std::string_view text;
  if (!line.take_string(text, buffer)) return false;
  cell = text;
  return column.type != ColumnType::time || parse_second(text).has_value();
}

Error bad_line(const TableSchema& schema, std::size_t number, std::string_view what) {
  return {Errc::invalid, fmt::format("table {}: line {}: {}", schema.name, number, what)};
}

}  // namespace

Status scan_rows(const TableSchema& schema, std::string_view blob,
                 const std::function<Status(std::span<const Cell>)>& row) {
  if (!json::is_valid_utf8(blob)) {
    return Error{Errc::invalid, fmt::format("table {}: not UTF-8", schema.name)};
  }
  const auto columns = row_order(schema);
  std::vector<std::string> prefixes;
  for (const auto* column : columns) {
    prefixes.push_back(fmt::format("{}\"{}\":", prefixes.empty() ? "{" : ",", column->name));
  }
  std::vector<Cell> cells(columns.size());
  std::vector<std::string> buffers(columns.size());
  std::string_view previous;
  for (std::size_t number = 1; !blob.empty(); ++number) {
    const auto end = blob.find('\n');
    if (end == std::string_view::npos) return bad_line(schema, number, "no line feed at the end");
    const auto text = blob.substr(0, end);
    blob.remove_prefix(end + 1);
    if (number > 1 && text <= previous) return bad_line(schema, number, "not in ascending order");
    previous = text;

    LineScanner line(text);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const auto& column = *columns[i];
      if (!line.take(prefixes[i]) || !take_cell(line, column, cells[i], buffers[i])) {
        return bad_line(
            schema, number,
            fmt::format("column {}: not a canonical {}", column.name, to_string(column.type)));
      }
    }
    if (!line.take("}") || !line.at_end()) return bad_line(schema, number, "more than its columns");
    auto taken = row(cells);
    if (!taken) return std::move(taken).error();
  }
  return Ok{};
}

}  // namespace vouch::policy
