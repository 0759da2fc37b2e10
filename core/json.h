// SPDX-License-Identifier: Apache-2.0
// JSON as our formats allow it (docs/formats/conventions.md): one value type, one strict
// reader, one canonical writer (RFC 8785). Numbers are integers within +-(2^53-1); there are
// no floating-point numbers anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/result.h"

namespace vouch::json {

class Value;
using Array = std::vector<Value>;

// RFC 8785 order: by UTF-16 code unit. For ASCII keys this is bytewise order.
struct KeyLess {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const;
};
using Object = std::map<std::string, Value, KeyLess>;

inline constexpr std::int64_t kIntegerMax = (std::int64_t{1} << 53) - 1;

class Value {
 public:
  // All out of line: what std::variant makes of each would be compiled in every file that holds
  // one.
  Value();  // null
  Value(std::nullptr_t);
  Value(bool value);
  Value(int value);
  Value(std::int64_t value);  // The writer asserts |value| <= kIntegerMax.
  Value(std::uint64_t value);
  Value(std::string value);
  Value(std::string_view value);
  Value(const char* value);
  Value(Array value);
  Value(Object value);
  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;
  ~Value();

  [[nodiscard]] bool is_null() const { return data_.index() == 0; }
  [[nodiscard]] const bool* if_bool() const { return std::get_if<bool>(&data_); }
  [[nodiscard]] const std::int64_t* if_integer() const { return std::get_if<std::int64_t>(&data_); }
  [[nodiscard]] const std::string* if_string() const { return std::get_if<std::string>(&data_); }
  [[nodiscard]] const Array* if_array() const { return std::get_if<Array>(&data_); }
  [[nodiscard]] const Object* if_object() const { return std::get_if<Object>(&data_); }
  [[nodiscard]] Array* if_array() { return std::get_if<Array>(&data_); }
  [[nodiscard]] Object* if_object() { return std::get_if<Object>(&data_); }

  // The member `key` of an object; nullptr if this is no object or has no such member.
  [[nodiscard]] const Value* find(std::string_view key) const;

  bool operator==(const Value& other) const;

 private:
  std::variant<std::monostate, bool, std::int64_t, std::string, Array, Object> data_;
};

inline constexpr int kDepthMax = 16;

// Parses one JSON text. Refuses (Errc::invalid, with the byte offset and the rule broken):
// invalid UTF-8, a BOM, duplicate keys, lone surrogates, U+0000, raw control bytes, any number
// that is not an integer within +-(2^53-1) written without fraction, exponent, "-0" or leading
// zero, depth over kDepthMax, trailing bytes. White space between tokens is accepted.
Result<Value> parse(std::string_view text);

// The same for what another program printed: a number that is no integer of ours (0.25, 1e3,
// 7710721118794888787) becomes a string with its digits, instead of an error.
Result<Value> parse_foreign(std::string_view text);

// RFC 8785 (JCS) in UTF-8, no newline at the end. Strings must be valid UTF-8 (assert).
std::string write(const Value& value);
// Appends a JSON string literal, quoted and escaped as in RFC 8785.
void append_string(std::string& out, std::string_view text);

// The same value indented by two spaces, for people. Never hashed.
std::string write_pretty(const Value& value);

bool is_valid_utf8(std::string_view text);

// Typed access to the members of an object that came from outside. Each names the member in its
// error: `member "seq": expected an integer`. A missing member is Errc::invalid too, except where
// the name ends in `_or` / optional.
Result<std::string> get_string(const Value& object, std::string_view key);
Result<std::int64_t> get_integer(const Value& object, std::string_view key);
Result<bool> get_bool(const Value& object, std::string_view key);
Result<const Array*> get_array(const Value& object, std::string_view key);   // View into object.
Result<const Value*> get_object(const Value& object, std::string_view key);  // View into object.

}  // namespace vouch::json
