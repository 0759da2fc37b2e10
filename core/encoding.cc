// SPDX-License-Identifier: Apache-2.0
#include "core/encoding.h"

#include <array>
#include <cstdint>

namespace vouch {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::int8_t kNoDigit = -1;

constexpr std::array<std::int8_t, 256> invert(std::string_view alphabet) {
  std::array<std::int8_t, 256> values{};
  for (auto& value : values) value = kNoDigit;
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}

constexpr auto kValues = invert(kAlphabet);
constexpr auto kUrlValues = invert(kUrlAlphabet);

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::string encode(std::string_view bytes, std::string_view alphabet, bool pad) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char byte : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(byte);
    count += 8;
    while (count >= 6) {
      count -= 6;
      text += alphabet[(bits >> count) & 63];
    }
  }
  if (count > 0) text += alphabet[(bits << (6 - count)) & 63];
  while (pad && text.size() % 4 != 0) text += '=';
  return text;
}

// `text` is without padding here.
Result<std::string> decode(std::string_view text, const std::array<std::int8_t, 256>& values) {
  if (text.size() % 4 == 1) return Error{Errc::invalid, "base64: impossible length"};
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int value = values[static_cast<unsigned char>(c)];
    if (value == kNoDigit) return Error{Errc::invalid, "base64: a character outside the alphabet"};
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>((bits >> count) & 255);
    }
  }
  if ((bits & ((1u << count) - 1)) != 0) {
    return Error{Errc::invalid, "base64: unused bits are not zero"};
  }
  return bytes;
}

// Takes the padding off, which must be there and right.
Result<std::string_view> without_padding(std::string_view text) {
  if (text.size() % 4 != 0) return Error{Errc::invalid, "base64: length is not a multiple of 4"};
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string hex_encode(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text += kHexDigits[value >> 4];
    text += kHexDigits[value & 15];
  }
  return text;
}

Result<std::string> hex_decode(std::string_view text) {
  if (text.size() % 2 != 0) return Error{Errc::invalid, "hex: odd number of digits"};
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return Error{Errc::invalid, "hex: not a lowercase hex digit"};
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

bool is_hex_digest(std::string_view text) {
  if (text.size() != 64) return false;
  for (const char c : text) {
    if (hex_value(c) < 0) return false;
  }
  return true;
}

std::string base64_encode(std::string_view bytes) {
  return encode(bytes, kAlphabet, true);
}
std::string base64url_encode(std::string_view bytes) {
  return encode(bytes, kUrlAlphabet, false);
}

Result<std::string> base64_decode(std::string_view text) {
  auto digits = without_padding(text);
  if (!digits) return std::move(digits).error();
  return decode(*digits, kValues);
}

Result<std::string> base64url_decode(std::string_view text) {
  return decode(text, kUrlValues);
}

Result<std::string> base64_decode_either(std::string_view text) {
  auto digits = without_padding(text);
  if (!digits) return std::move(digits).error();
  // Each alphabet refuses the two characters of the other, so they cannot be mixed.
  const bool url = digits->find_first_of("-_") != std::string_view::npos;
  return decode(*digits, url ? kUrlValues : kValues);
}

}  // namespace vouch
