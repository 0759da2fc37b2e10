// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/text_functions.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace vouch::policy {
namespace {

// A step of a pattern's search costs more than a byte that is merely looked at.
constexpr std::uint64_t kPatternStepsPerUnit = 4;

using Values = sqlite3_value**;

bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

// Behind the character at `at`, as SQLite steps: a stray byte is a character of its own.
std::size_t next_character(std::string_view text, std::size_t at) {
  const bool is_lead = static_cast<unsigned char>(text[at]) >= 0xC0;
  ++at;
  while (is_lead && at < text.size() && is_continuation(text[at])) ++at;
  return at;
}

std::string_view text_of(sqlite3_value* value) {
  const auto* bytes = sqlite3_value_text(value);
  const int size = sqlite3_value_bytes(value);
  if (bytes == nullptr) return {};
  return {static_cast<const char*>(static_cast<const void*>(bytes)),
          static_cast<std::size_t>(size)};
}

// Up to the first NUL, where SQLite's own functions stop.
std::string_view c_text_of(sqlite3_value* value) {
  const auto text = text_of(value);
  return text.substr(0, std::min(text.find('\0'), text.size()));
}

bool is_null(sqlite3_value* value) {
  return sqlite3_value_type(value) == SQLITE_NULL;
}

void give_text(sqlite3_context* context, std::string_view text) {
  const char* bytes = text.data() == nullptr ? "" : text.data();
  sqlite3_result_text64(context, bytes, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

void fail(sqlite3_context* context, std::string_view message) {
  sqlite3_result_error(context, message.data(), static_cast<int>(message.size()));
}

// Linear, by glibc's two-way search: std::string_view::find takes the product of the lengths.
std::size_t find(std::string_view text, std::string_view wanted, std::size_t from) {
  const void* found = memmem(text.data() + from, text.size() - from, wanted.data(), wanted.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

void instr(sqlite3_context* context, int, Values values) {
  if (is_null(values[0]) || is_null(values[1])) return;
  const bool is_bytes =
      sqlite3_value_type(values[0]) == SQLITE_BLOB && sqlite3_value_type(values[1]) == SQLITE_BLOB;
  const auto text = text_of(values[0]);
  const auto wanted = text_of(values[1]);
  if (wanted.empty()) return sqlite3_result_int(context, 1);
  std::size_t at = 0;
  // In text only where a character begins. Text that is no UTF-8 may need several looks.
  for (;; ++at) {
    const auto from = at;
    at = find(text, wanted, from);
    const auto looked_at = std::min(at, text.size()) - from + wanted.size();
    if (!charge(context, 1 + looked_at / kWorkBytes)) return;
    if (at == std::string_view::npos) return sqlite3_result_int(context, 0);
    if (is_bytes || at == 0 || !is_continuation(text[at])) break;
  }
  const auto* begin = text.data();
  const auto skipped =
      is_bytes || at == 0 ? 0 : std::count_if(begin + 1, begin + at, is_continuation);
  sqlite3_result_int64(context, static_cast<std::int64_t>(at) + 1 - skipped);
}

void replace(sqlite3_context* context, int, Values values) {
  if (is_null(values[0]) || is_null(values[1])) return;
  const auto wanted = text_of(values[1]);
  if (wanted.empty() || wanted[0] == '\0') return sqlite3_result_value(context, values[0]);
  if (is_null(values[2])) return;
  const auto text = text_of(values[0]);
  const auto instead = text_of(values[2]);
  if (!charge(context, (text.size() + wanted.size()) / kWorkBytes)) return;
  const auto limit = static_cast<std::size_t>(
      sqlite3_limit(sqlite3_context_db_handle(context), SQLITE_LIMIT_LENGTH, -1));
  std::string made;
  for (std::size_t from = 0;;) {
    const auto at = text.size() - from < wanted.size() ? text.npos : find(text, wanted, from);
    made += text.substr(from, at == text.npos ? text.npos : at - from);
    if (at == text.npos) break;
    made += instead;
    from = at + wanted.size();
    if (made.size() > limit) return sqlite3_result_error_toobig(context);
    // Each find() looks at all of `wanted` first.
    if (!charge(context, (wanted.size() + instead.size()) / kWorkBytes)) return;
  }
  give_text(context, made);
}

void length(sqlite3_context* context, int, Values values) {
  switch (sqlite3_value_type(values[0])) {
    case SQLITE_NULL:
      return;
    case SQLITE_TEXT:
      break;
    default:
      return sqlite3_result_int(context, sqlite3_value_bytes(values[0]));
  }
  const auto text = c_text_of(values[0]);
  if (!charge(context, text.size() / kWorkBytes)) return;
  std::int64_t characters = 0;
  for (std::size_t at = 0; at < text.size(); at = next_character(text, at)) ++characters;
  sqlite3_result_int64(context, characters);
}

// The part of `length` things that SQLite's substr takes: from `first` (of 0 …), `count` of them.
struct Part {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

Part part_of(std::int64_t start, std::int64_t count, std::int64_t length) {
  const bool is_before = count < 0;
  if (is_before) count = -count;
  if (start < 0) {
    start += length;
    if (start < 0) {
      count = std::max<std::int64_t>(count + start, 0);
      start = 0;
    }
  } else if (start > 0) {
    --start;
  } else if (count > 0) {
    --count;
  }
  if (is_before) {
    start -= count;
    if (start < 0) {
      count += start;
      start = 0;
    }
  }
  return {start, count};
}

void substr(sqlite3_context* context, int count, Values values) {
  if (is_null(values[0]) || is_null(values[1]) || (count == 3 && is_null(values[2]))) return;
  const bool is_bytes = sqlite3_value_type(values[0]) == SQLITE_BLOB;
  const std::int64_t start = sqlite3_value_int(values[1]);
  const std::int64_t wanted =
      count == 3 ? sqlite3_value_int(values[2])
                 : sqlite3_limit(sqlite3_context_db_handle(context), SQLITE_LIMIT_LENGTH, -1);
  const auto text = is_bytes ? text_of(values[0]) : c_text_of(values[0]);
  if (!charge(context, text.size() / kWorkBytes)) return;
  if (is_bytes) {
    const auto size = static_cast<std::int64_t>(text.size());
    const auto part = part_of(start, wanted, size);
    const auto first = std::min(part.first, size);
    const auto bytes = std::clamp<std::int64_t>(part.count, 0, size - first);
    return sqlite3_result_blob64(context, text.data() + first, static_cast<std::uint64_t>(bytes),
                                 SQLITE_TRANSIENT);
  }
  std::int64_t characters = 0;
  for (std::size_t at = 0; start < 0 && at < text.size(); at = next_character(text, at)) {
    ++characters;
  }
  auto part = part_of(start, wanted, characters);
  std::size_t begin = 0;
  for (; begin < text.size() && part.first > 0; --part.first) begin = next_character(text, begin);
  std::size_t end = begin;
  for (; end < text.size() && part.count > 0; --part.count) end = next_character(text, end);
  give_text(context, text.substr(begin, end - begin));
}

enum class Side { left = 1, right = 2, both = 3 };

template <Side side>
void trim(sqlite3_context* context, int count, Values values) {
  if (is_null(values[0]) || (count == 2 && is_null(values[1]))) return;
  auto text = text_of(values[0]);
  const auto set = count == 2 ? c_text_of(values[1]) : std::string_view(" ");
  std::vector<std::string_view> characters;
  for (std::size_t at = 0; at < set.size();) {
    const auto next = next_character(set, at);
    characters.push_back(set.substr(at, next - at));
    at = next;
  }
  // Each character that goes may have been compared with each of the set.
  const std::uint64_t step = 1 + characters.size() / kPatternStepsPerUnit;
  if (!charge(context, step + set.size() / kWorkBytes)) return;
  const auto cut = [&](bool left) {
    const auto found = std::find_if(characters.begin(), characters.end(), [&](auto character) {
      return left ? text.starts_with(character) : text.ends_with(character);
    });
    if (found == characters.end()) return false;
    left ? text.remove_prefix(found->size()) : text.remove_suffix(found->size());
    return true;
  };
  for (const bool left : {true, false}) {
    if ((static_cast<int>(side) & static_cast<int>(left ? Side::left : Side::right)) == 0) continue;
    while (!text.empty() && cut(left)) {
      if (!charge(context, step)) return;
    }
  }
  give_text(context, text);
}

// The most steps that a search takes which tries, at each place, what stands between two stars:
// SQLite's never goes back to an earlier star. In brackets or escaped a star is none.
std::uint64_t pattern_steps(std::string_view pattern, char star, bool is_plain,
                            std::size_t text_size) {
  std::size_t longest = is_plain ? 0 : pattern.size();
  for (std::size_t at = 0; is_plain && at < pattern.size();) {
    const auto end = std::min(pattern.find(star, at), pattern.size());
    longest = std::max(longest, end - at);
    at = end + 1;
  }
  return pattern.size() + (longest + 1) * text_size;
}

// Null if an argument is; false for blobs, as Debian builds SQLite. False in return: answered.
bool begin_match(sqlite3_context* context, Values values) {
  if (sqlite3_value_type(values[0]) == SQLITE_BLOB ||
      sqlite3_value_type(values[1]) == SQLITE_BLOB) {
    sqlite3_result_int(context, 0);
    return false;
  }
  const int limit =
      sqlite3_limit(sqlite3_context_db_handle(context), SQLITE_LIMIT_LIKE_PATTERN_LENGTH, -1);
  if (sqlite3_value_bytes(values[0]) > limit) {
    fail(context, "LIKE or GLOB pattern too complex");
    return false;
  }
  return !is_null(values[0]) && !is_null(values[1]);
}

const char* c_string(sqlite3_value* value) {
  return static_cast<const char*>(static_cast<const void*>(sqlite3_value_text(value)));
}

void like(sqlite3_context* context, int count, Values values) {
  if (!begin_match(context, values)) return;
  unsigned int escape = 0;
  if (count == 3) {
    if (is_null(values[2])) return;
    const auto text = c_text_of(values[2]);
    if (text.size() != 1 || text[0] == '%' || text[0] == '_' || !(text[0] > 0)) {
      return fail(context, "ESCAPE is one ASCII character, not % or _");
    }
    escape = static_cast<unsigned char>(text[0]);
  }
  const auto steps = pattern_steps(text_of(values[0]), '%', count == 2, text_of(values[1]).size());
  if (!charge(context, steps / kPatternStepsPerUnit)) return;
  const int order = sqlite3_strlike(c_string(values[0]), c_string(values[1]), escape);
  sqlite3_result_int(context, order == 0 ? 1 : 0);
}

void glob(sqlite3_context* context, int, Values values) {
  if (!begin_match(context, values)) return;
  const auto pattern = text_of(values[0]);
  const bool is_plain = pattern.find('[') == std::string_view::npos;
  const auto steps = pattern_steps(pattern, '*', is_plain, text_of(values[1]).size());
  if (!charge(context, steps / kPatternStepsPerUnit)) return;
  const int order = sqlite3_strglob(c_string(values[0]), c_string(values[1]));
  sqlite3_result_int(context, order == 0 ? 1 : 0);
}

}  // namespace

bool charge(sqlite3_context* context, std::uint64_t units) {
  auto& work = *static_cast<Work*>(sqlite3_user_data(context));
  work.add(units);
  if (work.is_over()) fail(context, "too much work");
  return !work.is_over();
}

Status register_text_functions(sqlite3* database, Work* work) {
  struct Function {
    const char* name;
    int arguments;
    void (*call)(sqlite3_context*, int, sqlite3_value**);
  };
  constexpr std::array kFunctions = {
      Function{"instr", 2, instr},
      Function{"replace", 3, replace},
      Function{"length", 1, length},
      Function{"substr", 2, substr},
      Function{"substr", 3, substr},
      Function{"substring", 2, substr},
      Function{"substring", 3, substr},
      Function{"trim", 1, trim<Side::both>},
      Function{"trim", 2, trim<Side::both>},
      Function{"ltrim", 1, trim<Side::left>},
      Function{"ltrim", 2, trim<Side::left>},
      Function{"rtrim", 1, trim<Side::right>},
      Function{"rtrim", 2, trim<Side::right>},
      Function{"like", 2, like},
      Function{"like", 3, like},
      Function{"glob", 2, glob},
  };
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  for (const auto& function : kFunctions) {
    if (sqlite3_create_function_v2(database, function.name, function.arguments, kFlags, work,
                                   function.call, nullptr, nullptr, nullptr) != SQLITE_OK) {
      return Error{Errc::other,
                   fmt::format("SQL function {}: {}", function.name, sqlite3_errmsg(database))};
    }
  }
  return Ok{};
}

}  // namespace vouch::policy
