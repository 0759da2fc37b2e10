// SPDX-License-Identifier: Apache-2.0
#include "core/json.h"

#include <cassert>
#include <charconv>
#include <cstring>

namespace vouch::json {
namespace {

// Decodes one well-formed UTF-8 sequence at `text[i]` and advances `i`; -1 if there is none.
std::int32_t next_code_point(std::string_view text, std::size_t& i) {
  const auto byte = [&](std::size_t k) -> unsigned {
    return k < text.size() ? static_cast<unsigned char>(text[k]) : 0u;
  };
  const auto continues = [&](std::size_t k) { return (byte(k) & 0xC0u) == 0x80u; };
  const unsigned first = byte(i);
  if (first < 0x80) {
    ++i;
    return static_cast<std::int32_t>(first);
  }
  if (first >= 0xC2 && first <= 0xDF && continues(i + 1)) {
    const unsigned code = ((first & 0x1Fu) << 6) | (byte(i + 1) & 0x3Fu);
    i += 2;
    return static_cast<std::int32_t>(code);
  }
  if (first >= 0xE0 && first <= 0xEF && continues(i + 1) && continues(i + 2)) {
    const unsigned code =
        ((first & 0x0Fu) << 12) | ((byte(i + 1) & 0x3Fu) << 6) | (byte(i + 2) & 0x3Fu);
    if (code < 0x800 || (code >= 0xD800 && code <= 0xDFFF)) return -1;
    i += 3;
    return static_cast<std::int32_t>(code);
  }
  if (first >= 0xF0 && first <= 0xF4 && continues(i + 1) && continues(i + 2) && continues(i + 3)) {
    const unsigned code = ((first & 0x07u) << 18) | ((byte(i + 1) & 0x3Fu) << 12) |
                          ((byte(i + 2) & 0x3Fu) << 6) | (byte(i + 3) & 0x3Fu);
    if (code < 0x10000 || code > 0x10FFFF) return -1;
    i += 4;
    return static_cast<std::int32_t>(code);
  }
  return -1;
}

// A code point's first UTF-16 unit: characters beyond the BMP sort below U+E000, as surrogates do.
std::int32_t first_unit(std::int32_t code_point) {
  return code_point < 0x10000 ? code_point : 0xD800 + ((code_point - 0x10000) >> 10);
}

void append_value(std::string& out, const Value& value);

void append_object(std::string& out, const Object& object) {
  out += '{';
  bool first = true;
  for (const auto& [key, member] : object) {
    if (!first) out += ',';
    first = false;
    append_string(out, key);
    out += ':';
    append_value(out, member);
  }
  out += '}';
}

void append_integer(std::string& out, std::int64_t integer) {
  assert(integer >= -kIntegerMax && integer <= kIntegerMax);
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, integer).ptr;
  out.append(digits, end);
}

void append_value(std::string& out, const Value& value) {
  if (const auto* text = value.if_string()) {
    append_string(out, *text);
  } else if (const auto* integer = value.if_integer()) {
    append_integer(out, *integer);
  } else if (const auto* boolean = value.if_bool()) {
    out += *boolean ? "true" : "false";
  } else if (const auto* array = value.if_array()) {
    out += '[';
    for (std::size_t i = 0; i < array->size(); ++i) {
      if (i > 0) out += ',';
      append_value(out, (*array)[i]);
    }
    out += ']';
  } else if (const auto* object = value.if_object()) {
    append_object(out, *object);
  } else {
    out += "null";
  }
}

void append_pretty(std::string& out, const Value& value, std::size_t indent) {
  const auto newline = [&](std::size_t depth) {
    out += '\n';
    out.append(depth * 2, ' ');
  };
  const auto* array = value.if_array();
  const auto* object = value.if_object();
  if (array && !array->empty()) {
    out += '[';
    for (std::size_t i = 0; i < array->size(); ++i) {
      if (i > 0) out += ',';
      newline(indent + 1);
      append_pretty(out, (*array)[i], indent + 1);
    }
    newline(indent);
    out += ']';
  } else if (object && !object->empty()) {
    out += '{';
    bool first = true;
    for (const auto& [key, member] : *object) {
      if (!first) out += ',';
      first = false;
      newline(indent + 1);
      append_string(out, key);
      out += ": ";
      append_pretty(out, member, indent + 1);
    }
    newline(indent);
    out += '}';
  } else {
    append_value(out, value);
  }
}

Error member_error(std::string_view key, std::string_view expected) {
  return {Errc::invalid, "member \"" + std::string(key) + "\": expected " + std::string(expected)};
}

}  // namespace

bool KeyLess::operator()(std::string_view a, std::string_view b) const {
  std::size_t i = 0;
  while (i < a.size() && i < b.size() && a[i] == b[i]) ++i;
  if (i == a.size() || i == b.size()) return a.size() < b.size();
  // Bytewise order is code point order; it differs from UTF-16 order only where one side is beyond
  // the BMP (lead byte F0 and up) and the other is U+E000 and up (lead byte EE, EF).
  const auto lead = [](std::string_view text, std::size_t at) {
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
    return at;
  };
  std::size_t at_a = lead(a, i), at_b = lead(b, i);
  const auto code_a = next_code_point(a, at_a);
  const auto code_b = next_code_point(b, at_b);
  const auto unit_a = first_unit(code_a), unit_b = first_unit(code_b);
  if (unit_a != unit_b) return unit_a < unit_b;
  return code_a < code_b;
}

Value::Value() = default;
Value::Value(std::nullptr_t) {}
Value::Value(bool value) : data_(value) {}
Value::Value(int value) : data_(std::int64_t{value}) {}
Value::Value(std::int64_t value) : data_(value) {}
Value::Value(std::uint64_t value) : data_(static_cast<std::int64_t>(value)) {}
Value::Value(std::string value) : data_(std::move(value)) {}
Value::Value(std::string_view value) : data_(std::string(value)) {}
Value::Value(const char* value) : data_(std::string(value)) {}
Value::Value(Array value) : data_(std::move(value)) {}
Value::Value(Object value) : data_(std::move(value)) {}
Value::Value(const Value&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;
Value::~Value() = default;
bool Value::operator==(const Value& other) const {
  return data_ == other.data_;
}

const Value* Value::find(std::string_view key) const {
  const auto* object = if_object();
  if (!object) return nullptr;
  const auto member = object->find(key);
  return member == object->end() ? nullptr : &member->second;
}

void append_string(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  std::size_t copied = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, copied, i - copied);
    copied = i + 1;
    out += '\\';
    switch (c) {
      case '"':
        out += '"';
        break;
      case '\\':
        out += '\\';
        break;
      case '\b':
        out += 'b';
        break;
      case '\f':
        out += 'f';
        break;
      case '\n':
        out += 'n';
        break;
      case '\r':
        out += 'r';
        break;
      case '\t':
        out += 't';
        break;
      default:
        out += "u00";
        out += kHex[c >> 4];
        out += kHex[c & 15];
    }
  }
  out.append(text, copied, text.size() - copied);
  out += '"';
}

std::string write(const Value& value) {
  std::string out;
  append_value(out, value);
  return out;
}

std::string write_pretty(const Value& value) {
  std::string out;
  append_pretty(out, value, 0);
  return out;
}

bool is_valid_utf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    // Eight ASCII bytes at a time: nearly all that we check is ASCII.
    std::uint64_t word = 0;
    if (i + 8 <= text.size()) {
      std::memcpy(&word, text.data() + i, 8);
      if ((word & 0x8080808080808080u) == 0) {
        i += 8;
        continue;
      }
    }
    if (next_code_point(text, i) < 0) return false;
  }
  return true;
}

Result<std::string> get_string(const Value& object, std::string_view key) {
  const auto* member = object.find(key);
  const auto* text = member ? member->if_string() : nullptr;
  if (!text) return member_error(key, "a string");
  return *text;
}

Result<std::int64_t> get_integer(const Value& object, std::string_view key) {
  const auto* member = object.find(key);
  const auto* integer = member ? member->if_integer() : nullptr;
  if (!integer) return member_error(key, "an integer");
  return *integer;
}

Result<bool> get_bool(const Value& object, std::string_view key) {
  const auto* member = object.find(key);
  const auto* boolean = member ? member->if_bool() : nullptr;
  if (!boolean) return member_error(key, "true or false");
  return *boolean;
}

Result<const Array*> get_array(const Value& object, std::string_view key) {
  const auto* member = object.find(key);
  const auto* array = member ? member->if_array() : nullptr;
  if (!array) return member_error(key, "an array");
  return array;
}

Result<const Value*> get_object(const Value& object, std::string_view key) {
  const auto* member = object.find(key);
  if (!member || !member->if_object()) return member_error(key, "an object");
  return member;
}

}  // namespace vouch::json
