// SPDX-License-Identifier: Apache-2.0
#include "proto/names.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/json.h"
#include "core/random.h"

namespace vouch {
namespace {

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f');
}

constexpr std::size_t kPlainNameBytesMax = 63;
constexpr std::size_t kInstanceBytesMax = 31;
constexpr std::size_t kIdBytesMax = 64;
constexpr std::size_t kFileNameBytesMax = 255;

// Decimal without leading zeros, within the integers of our JSON.
Result<std::int64_t> parse_count(std::string_view text) {
  std::int64_t value = 0;
  const auto* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const bool leading_zero = text.size() > 1 && text.front() == '0';
  if (text.empty() || !is_digit(text.front()) || leading_zero || error != std::errc{} ||
      stop != end || value > json::kIntegerMax) {
    return Error{Errc::invalid, "expected a decimal number without leading zeros"};
  }
  return value;
}

}  // namespace

bool is_plain_name(std::string_view text) {
  return !text.empty() && text.size() <= kPlainNameBytesMax && is_lower(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_lower(c) || is_digit(c) || c == '_'; });
}

bool is_collector_name(std::string_view text) {
  const auto at = text.find('@');
  if (at == std::string_view::npos) return is_plain_name(text);
  const auto instance = text.substr(at + 1);
  return is_plain_name(text.substr(0, at)) && !instance.empty() &&
         instance.size() <= kInstanceBytesMax && std::ranges::all_of(instance, [](char c) {
           return is_lower(c) || is_digit(c) || c == '-';
         });
}

bool is_id(std::string_view text) {
  const auto alphanumeric = [](char c) { return is_lower(c) || is_upper(c) || is_digit(c); };
  return !text.empty() && text.size() <= kIdBytesMax && alphanumeric(text.front()) &&
         std::ranges::all_of(
             text, [&](char c) { return alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

bool is_agent_id(std::string_view text) {
  return is_uuid_v4(text);
}

bool is_boot_id(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

bool is_machine_id(std::string_view text) {
  return text.size() == 32 && std::ranges::all_of(text, is_hex);
}

bool is_file_name(std::string_view text) {
  return !text.empty() && text.size() <= kFileNameBytesMax && text != "." && text != ".." &&
         json::is_valid_utf8(text) && std::ranges::none_of(text, [](char c) {
           return c == '/' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
         });
}

bool is_error_code(std::string_view text) {
  static constexpr std::array<std::string_view, 8> kCodes = {
      "permission-denied", "not-found",   "not-supported", "timeout",
      "too-large",         "parse-error", "tool-failed",   "other"};
  return std::ranges::find(kCodes, text) != kCodes.end();
}

std::string write_run_id(const RunId& id) {
  auto text = id.collector + "/" + std::to_string(id.tick);
  if (!id.scheduled()) text += "+" + std::to_string(id.extra);
  return text;
}

Result<RunId> parse_run_id(std::string_view text) {
  const Error invalid{Errc::invalid, "expected a run id: <collector>/<tick>[+<n>]"};
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return invalid;
  const auto plus = text.find('+', slash);

  RunId id;
  id.collector = text.substr(0, slash);
  if (!is_collector_name(id.collector)) return invalid;
  const auto tick =
      parse_count(text.substr(slash + 1, plus == std::string_view::npos ? plus : plus - slash - 1));
  if (!tick) return invalid;
  id.tick = *tick;
  if (plus != std::string_view::npos) {
    const auto extra = parse_count(text.substr(plus + 1));
    if (!extra || *extra == 0) return invalid;
    id.extra = *extra;
  }
  return id;
}

}  // namespace vouch
