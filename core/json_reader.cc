// SPDX-License-Identifier: Apache-2.0
// Boost.JSON's basic_parser under a handler of ours: the parser alone accepts duplicate keys, -0,
// 1e3, floating-point numbers and \u0000, all of which our formats refuse.
#include <boost/json/basic_parser_impl.hpp>

#include <fmt/format.h>

#include "core/json.h"

namespace vouch::json {
namespace {

namespace bj = boost::json;

// Builds the value tree bottom up. Each method returns false, with `broken` set, to stop.
struct Handler {
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  struct Level {
    Value container;
    std::string key;  // Of the member that is being read.
  };
  std::vector<Level> levels;
  Value root;
  std::string text;         // Of the string, key or number that is being read.
  const char* broken = "";  // The rule of ours that was broken.
  bool is_foreign = false;  // Numbers that are none of ours become their text.

  bool refuse(const char* rule, bj::error_code& ec) {
    broken = rule;
    ec = bj::make_error_code(bj::error::syntax);
    return false;
  }

  bool add(Value value) {
    if (levels.empty()) {
      root = std::move(value);
    } else if (auto* array = levels.back().container.if_array()) {
      array->push_back(std::move(value));
    } else {
      levels.back().container.if_object()->insert_or_assign(std::move(levels.back().key),
                                                            std::move(value));
    }
    return true;
  }

  bool open(Value container, bj::error_code& ec) {
    if (levels.size() >= kDepthMax) return refuse("deeper than 16 levels", ec);
    levels.push_back({std::move(container), {}});
    return true;
  }

  bool close() {
    Value finished = std::move(levels.back().container);
    levels.pop_back();
    return add(std::move(finished));
  }

  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) { return true; }
  bool on_object_begin(bj::error_code& ec) { return open(Object{}, ec); }
  bool on_object_end(std::size_t, bj::error_code&) { return close(); }
  bool on_array_begin(bj::error_code& ec) { return open(Array{}, ec); }
  bool on_array_end(std::size_t, bj::error_code&) { return close(); }

  bool on_key_part(bj::string_view part, std::size_t, bj::error_code&) {
    text.append(part.data(), part.size());
    return true;
  }
  bool on_key(bj::string_view part, std::size_t, bj::error_code& ec) {
    text.append(part.data(), part.size());
    if (text.find('\0') != std::string::npos) return refuse("U+0000 in a string", ec);
    auto& level = levels.back();
    if (level.container.if_object()->contains(text)) return refuse("duplicate key", ec);
    level.key = std::move(text);
    text.clear();
    return true;
  }
  bool on_string_part(bj::string_view part, std::size_t, bj::error_code&) {
    text.append(part.data(), part.size());
    return true;
  }
  bool on_string(bj::string_view part, std::size_t, bj::error_code& ec) {
    text.append(part.data(), part.size());
    if (text.find('\0') != std::string::npos) return refuse("U+0000 in a string", ec);
    Value value(std::move(text));
    text.clear();
    return add(std::move(value));
  }

  bool on_number_part(bj::string_view part, bj::error_code&) {
    text.append(part.data(), part.size());
    return true;
  }
  bool on_int64(std::int64_t integer, bj::string_view part, bj::error_code& ec) {
    text.append(part.data(), part.size());
    // An integral value may still have been written as 1e3, 1.0 or -0.
    const bool plain = text.find_first_of(".eE") == std::string::npos && text != "-0";
    if (!plain) return other_number("a number that is not written as an integer", ec);
    if (integer > kIntegerMax || integer < -kIntegerMax) {
      return other_number("an integer beyond 2^53-1", ec);
    }
    text.clear();
    return add(integer);
  }
  bool on_uint64(std::uint64_t, bj::string_view part, bj::error_code& ec) {
    text.append(part.data(), part.size());
    return other_number("an integer beyond 2^53-1", ec);  // Only what int64 cannot hold comes here.
  }
  bool on_double(double, bj::string_view part, bj::error_code& ec) {
    text.append(part.data(), part.size());
    return other_number("a number that is not an integer within 2^53-1", ec);
  }
  bool other_number(const char* rule, bj::error_code& ec) {
    if (!is_foreign) return refuse(rule, ec);
    Value value(std::move(text));
    text.clear();
    return add(std::move(value));
  }
  bool on_bool(bool value, bj::error_code&) { return add(value); }
  bool on_null(bj::error_code&) { return add(nullptr); }
  bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
  bool on_comment(bj::string_view, bj::error_code&) { return true; }
};

Result<Value> parse_with(std::string_view text, bool is_foreign) {
  bj::parse_options options;
  options.max_depth = kDepthMax + 1;  // The handler counts; it names the rule.
  bj::basic_parser<Handler> parser(options);
  parser.handler().is_foreign = is_foreign;
  bj::error_code ec;
  const std::size_t parsed = parser.write_some(false, text.data(), text.size(), ec);
  const auto& handler = parser.handler();
  if (ec) {
    const std::string reason = *handler.broken ? handler.broken : ec.message();
    return Error{Errc::invalid, fmt::format("json: byte {}: {}", parsed, reason)};
  }
  if (parsed < text.size()) {
    return Error{Errc::invalid, fmt::format("json: byte {}: bytes after the value", parsed)};
  }
  return std::move(parser.handler().root);
}

}  // namespace

Result<Value> parse(std::string_view text) {
  return parse_with(text, false);
}

Result<Value> parse_foreign(std::string_view text) {
  return parse_with(text, true);
}

}  // namespace vouch::json
