// SPDX-License-Identifier: Apache-2.0
#include "proto/line_fault.h"

#include <algorithm>
#include <string>

#include "core/json.h"

namespace vouch {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kNulEscape = "\\u0000";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

// The end of the number of RFC 8259 that begins at `at`; `at` itself if none does.
std::size_t skip_number(std::string_view text, std::size_t at) {
  auto end = at < text.size() && text[at] == '-' ? at + 1 : at;
  const auto integer = skip_digits(text, end);
  if (integer == end || (text[end] == '0' && integer > end + 1)) return at;
  end = integer;
  if (end < text.size() && text[end] == '.') {
    const auto fraction = skip_digits(text, end + 1);
    if (fraction == end + 1) return at;
    end = fraction;
  }
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    auto exponent = end + 1;
    if (exponent < text.size() && (text[exponent] == '+' || text[exponent] == '-')) ++exponent;
    const auto last = skip_digits(text, exponent);
    if (last == exponent) return at;
    end = last;
  }
  return end;
}

// The line with every number made 0 and every \u0000 made \u0001: if that is strict JSON, nothing
// else was wrong with it.
std::string mend(std::string_view line, bool& had_nul) {
  std::string mended;
  bool in_string = false;
  for (std::size_t i = 0; i < line.size();) {
    if (in_string && line[i] == '\\') {
      const bool nul = line.substr(i, kNulEscape.size()) == kNulEscape;
      had_nul = had_nul || nul;
      mended += nul ? "\\u0001" : line.substr(i, 2);
      i += nul ? kNulEscape.size() : 2;
      continue;
    }
    const auto end = in_string ? i : skip_number(line, i);
    if (end > i) {
      mended += '0';
      i = end;
      continue;
    }
    if (line[i] == '"') in_string = !in_string;
    mended += line[i++];
  }
  return mended;
}

}  // namespace

bool has_control_byte(std::string_view line) {
  return std::ranges::any_of(line, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

Violation classify_bad_line(std::string_view line) {
  if (line.find('\0') != std::string_view::npos) return Violation::nul;
  if (line.starts_with(kByteOrderMark) || !json::is_valid_utf8(line)) return Violation::bad_utf8;
  if (has_control_byte(line)) return Violation::bad_json;
  bool had_nul = false;
  const auto value = json::parse(mend(line, had_nul));
  if (!value) return Violation::bad_json;
  if (had_nul) return Violation::nul;
  return value->find("row") ? Violation::wrong_type : Violation::bad_json;
}

}  // namespace vouch
