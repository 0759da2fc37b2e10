// SPDX-License-Identifier: Apache-2.0
#include "core/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>

#include "core/encoding.h"

namespace vouch {
namespace {

constexpr std::size_t kUuidBytes = 16;
constexpr std::size_t kUuidTextBytes = 36;

bool is_dash_position(std::size_t i) {
  return i == 8 || i == 13 || i == 18 || i == 23;
}

bool is_lower_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

}  // namespace

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  for (std::size_t done = 0; done < count;) {
    const ssize_t got = getrandom(bytes.data() + done, count - done, 0);
    if (got < 0 && errno == EINTR) continue;
    // Without the kernel's generator no key or id may be made: there is nothing to fall back to.
    if (got <= 0) std::abort();
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

std::string uuid_v4() {
  std::string bytes = random_bytes(kUuidBytes);
  bytes[6] = static_cast<char>((static_cast<unsigned char>(bytes[6]) & 0x0f) | 0x40);
  bytes[8] = static_cast<char>((static_cast<unsigned char>(bytes[8]) & 0x3f) | 0x80);
  const std::string hex = hex_encode(bytes);
  return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" +
         hex.substr(16, 4) + "-" + hex.substr(20);
}

bool is_uuid_v4(std::string_view text) {
  if (text.size() != kUuidTextBytes) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_dash_position(i) ? text[i] != '-' : !is_lower_hex(text[i])) return false;
  }
  const char variant = text[19];
  return text[14] == '4' && (variant == '8' || variant == '9' || variant == 'a' || variant == 'b');
}

}  // namespace vouch
