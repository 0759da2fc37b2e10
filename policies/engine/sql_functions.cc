// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/sql_functions.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <re2/re2.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/version_compare.h"
#include "policies/engine/text_functions.h"

namespace vouch::policy {
namespace {

constexpr std::int64_t kSecondsPerDay = 86400;
constexpr std::int64_t kRegexpBytesMax = 1 << 20;
constexpr std::size_t kPatternBytesMax = 4096;
// To make a program of a pattern, for each byte and each instruction of it.
constexpr std::uint64_t kPatternUnits = 32;

// Sorted, for binary search.
constexpr std::array<std::string_view, 34> kAllowed = {"abs",           "char",
                                                       "cidr_contains", "coalesce",
                                                       "count",         "days_between",
                                                       "glob",          "hex",
                                                       "ifnull",        "iif",
                                                       "instr",         "json_array_length",
                                                       "json_extract",  "json_valid",
                                                       "length",        "like",
                                                       "lower",         "ltrim",
                                                       "max",           "min",
                                                       "nullif",        "quote",
                                                       "regexp",        "replace",
                                                       "rtrim",         "seconds_between",
                                                       "substr",        "substring",
                                                       "sum",           "trim",
                                                       "typeof",        "unicode",
                                                       "upper",         "version_compare"};

std::string_view text_of(sqlite3_value* value) {
  const auto* bytes = sqlite3_value_text(value);
  const int size = sqlite3_value_bytes(value);
  if (bytes == nullptr) return {};
  return {static_cast<const char*>(static_cast<const void*>(bytes)),
          static_cast<std::size_t>(size)};
}

bool any_null(int count, sqlite3_value** values) {
  return std::any_of(values, values + count,
                     [](sqlite3_value* value) { return sqlite3_value_type(value) == SQLITE_NULL; });
}

void fail(sqlite3_context* context, const std::string& message) {
  sqlite3_result_error(context, message.data(), static_cast<int>(message.size()));
}

// Seconds from a to b. False after an error was set.
bool difference(sqlite3_context* context, sqlite3_value** values, std::int64_t& seconds) {
  const auto from = parse_second(text_of(values[0]));
  const auto to = parse_second(text_of(values[1]));
  if (!from || !to) {
    // No content of a cell in a message: it is kept with the outcome.
    fail(context, fmt::format("the {} time is not of the form 2026-11-21T19:30:00Z",
                              from ? "second" : "first"));
    return false;
  }
  seconds = *to - *from;
  return true;
}

void seconds_between(sqlite3_context* context, int count, sqlite3_value** values) {
  std::int64_t seconds = 0;
  if (any_null(count, values) || !difference(context, values, seconds)) return;
  sqlite3_result_int64(context, seconds);
}

void days_between(sqlite3_context* context, int count, sqlite3_value** values) {
  std::int64_t seconds = 0;
  if (any_null(count, values) || !difference(context, values, seconds)) return;
  const std::int64_t remainder = seconds % kSecondsPerDay;
  sqlite3_result_int64(context, seconds / kSecondsPerDay - (remainder < 0 ? 1 : 0));
}

std::uint64_t program_size(const RE2& pattern) {
  return static_cast<std::uint64_t>(std::max(pattern.ProgramSize(), 1));
}

void drop_pattern(void* pattern) {
  std::unique_ptr<RE2>(static_cast<RE2*>(pattern)).reset();
}

void regexp(sqlite3_context* context, int count, sqlite3_value** values) {
  if (any_null(count, values)) return;
  auto* pattern = static_cast<RE2*>(sqlite3_get_auxdata(context, 0));
  std::unique_ptr<RE2> made;
  if (pattern == nullptr) {
    const auto source = text_of(values[0]);
    if (source.size() > kPatternBytesMax) return fail(context, "the pattern of regexp is too long");
    if (!charge(context, kPatternUnits * (1 + source.size()))) return;
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kRegexpBytesMax);
    made = std::make_unique<RE2>(re2::StringPiece(source.data(), source.size()), options);
    if (!made->ok()) return fail(context, "the pattern of regexp: " + made->error());
    pattern = made.get();
    if (!charge(context, kPatternUnits * program_size(*pattern))) return;
  }
  const auto text = text_of(values[1]);
  // At its worst RE2 takes each byte through the whole program.
  if (!charge(context, text.size() * program_size(*pattern) / kWorkBytes)) return;
  const bool found = RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *pattern);
  sqlite3_result_int(context, found ? 1 : 0);
  // Last: SQLite may free it at once.
  if (made) sqlite3_set_auxdata(context, 0, made.release(), drop_pattern);
}

struct Address {
  std::array<unsigned char, 16> bytes{};
  int bits = 0;  // 32, 128; 0: no address.
};

Address parse_address(std::string_view text) {
  Address address;
  const std::string terminated(text);
  if (inet_pton(AF_INET, terminated.c_str(), address.bytes.data()) == 1) {
    address.bits = 32;
  } else if (inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) {
    address.bits = 128;
  }
  if (text.find('\0') != std::string_view::npos) address.bits = 0;
  return address;
}

void cidr_contains(sqlite3_context* context, int count, sqlite3_value** values) {
  if (any_null(count, values)) return;
  const auto network_text = text_of(values[0]);
  if (!charge(context, (network_text.size() + text_of(values[1]).size()) / kWorkBytes)) return;
  const auto slash = network_text.find('/');
  const auto network = parse_address(network_text.substr(0, slash));
  int prefix = network.bits;
  if (slash != std::string_view::npos) {
    const auto digits = network_text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
    if (error != std::errc{} || end != digits.data() + digits.size()) prefix = -1;
  }
  if (network.bits == 0 || prefix < 0 || prefix > network.bits) {
    return fail(context, "cidr_contains: the network is not of the form 10.0.0.0/8");
  }
  const auto address = parse_address(text_of(values[1]));
  if (address.bits == 0) return;  // NULL: not an address, so nobody can say.
  bool inside = address.bits == network.bits;
  for (int bit = 0; inside && bit < prefix; ++bit) {
    const auto index = static_cast<std::size_t>(bit / 8);
    const int mask = 0x80 >> (bit % 8);
    inside = ((address.bytes[index] ^ network.bytes[index]) & mask) == 0;
  }
  sqlite3_result_int(context, inside ? 1 : 0);
}

void compare_versions(sqlite3_context* context, int count, sqlite3_value** values) {
  if (any_null(count, values)) return;
  const auto name = text_of(values[0]);
  if (!charge(context, (text_of(values[1]).size() + text_of(values[2]).size()) / kWorkBytes))
    return;
  if (name != "dpkg" && name != "rpm") {
    return fail(context, "version_compare: the scheme is dpkg or rpm");
  }
  const auto scheme = name == "dpkg" ? VersionScheme::deb : VersionScheme::rpm;
  sqlite3_result_int(context, version_compare(scheme, text_of(values[1]), text_of(values[2])));
}

void integer_abs(sqlite3_context* context, int, sqlite3_value** values) {
  if (sqlite3_value_type(values[0]) == SQLITE_NULL) return;
  const auto value = sqlite3_value_int64(values[0]);
  if (sqlite3_value_type(values[0]) != SQLITE_INTEGER || value == INT64_MIN) {
    return fail(context, "abs: not an integer in range");
  }
  sqlite3_result_int64(context, value < 0 ? -value : value);
}

struct Sum {
  std::int64_t total;
  int state;  // 0: nothing yet; 1: a sum; 2: failed.
};

void sum_step(sqlite3_context* context, int, sqlite3_value** values) {
  if (sqlite3_value_type(values[0]) == SQLITE_NULL) return;
  auto* sum = static_cast<Sum*>(sqlite3_aggregate_context(context, sizeof(Sum)));
  if (sum == nullptr) return sqlite3_result_error_nomem(context);
  if (sum->state == 2) return;
  sum->state = 1;
  if (sqlite3_value_type(values[0]) != SQLITE_INTEGER ||
      __builtin_add_overflow(sum->total, sqlite3_value_int64(values[0]), &sum->total)) {
    sum->state = 2;
  }
}

void sum_final(sqlite3_context* context) {
  const auto* sum = static_cast<Sum*>(sqlite3_aggregate_context(context, 0));
  if (sum == nullptr || sum->state == 0) return;
  if (sum->state == 2) return fail(context, "sum: not an integer, or over 64 bits");
  sqlite3_result_int64(context, sum->total);
}

}  // namespace

bool is_function_allowed(std::string_view name) {
  return std::binary_search(kAllowed.begin(), kAllowed.end(), name);
}

Status register_functions(sqlite3* database, Work* work) {
  struct Function {
    const char* name;
    int arguments;
    void (*call)(sqlite3_context*, int, sqlite3_value**);
  };
  constexpr std::array kFunctions = {
      Function{"days_between", 2, days_between},
      Function{"seconds_between", 2, seconds_between},
      Function{"regexp", 2, regexp},
      Function{"cidr_contains", 2, cidr_contains},
      Function{"version_compare", 3, compare_versions},
      Function{"abs", 1, integer_abs},
  };
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  for (const auto& function : kFunctions) {
    if (sqlite3_create_function_v2(database, function.name, function.arguments, kFlags, work,
                                   function.call, nullptr, nullptr, nullptr) != SQLITE_OK) {
      return Error{Errc::other,
                   fmt::format("SQL function {}: {}", function.name, sqlite3_errmsg(database))};
    }
  }
  if (sqlite3_create_function_v2(database, "sum", 1, kFlags, nullptr, nullptr, sum_step, sum_final,
                                 nullptr) != SQLITE_OK) {
    return Error{Errc::other, fmt::format("SQL function sum: {}", sqlite3_errmsg(database))};
  }
  return register_text_functions(database, work);
}

}  // namespace vouch::policy
