// SPDX-License-Identifier: Apache-2.0
#include "collectors/config_drift/unified_kernel.h"

#include <endian.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace vouch::drift {
namespace {

// Places in the formats MZ and PE (COFF).
constexpr std::size_t kDosHeaderBytes = 64;
constexpr std::size_t kPeOffsetAt = 0x3c;
constexpr std::size_t kPeHeaderBytes = 24;  // The signature and the COFF header.
constexpr std::size_t kSectionBytes = 40;
constexpr std::size_t kSectionsMax = 96;  // As many as Windows loads.
constexpr std::size_t kCommandLineBytesMax = 64 << 10;

std::uint16_t u16_at(std::string_view bytes, std::size_t at) {
  std::uint16_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return le16toh(value);
}

std::uint32_t u32_at(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return le32toh(value);
}

}  // namespace

Result<std::optional<std::string>> unified_kernel_command_line(const ReadAt& read_at) {
  const Error invalid{Errc::invalid, "is no EFI program"};
  const auto dos = read_at(0, kDosHeaderBytes);
  if (!dos) return dos.error();
  if (dos->size() < kDosHeaderBytes || !dos->starts_with("MZ")) return invalid;
  const std::uint64_t start = u32_at(*dos, kPeOffsetAt);
  const auto header = read_at(start, kPeHeaderBytes);
  if (!header) return header.error();
  if (header->size() < kPeHeaderBytes || !header->starts_with(std::string_view("PE\0\0", 4))) {
    return invalid;
  }
  const std::size_t count = u16_at(*header, 6);
  if (count > kSectionsMax) return invalid;
  const auto table = read_at(start + kPeHeaderBytes + u16_at(*header, 20), count * kSectionBytes);
  if (!table) return table.error();
  if (table->size() < count * kSectionBytes) return invalid;
  for (std::size_t i = 0; i < count; ++i) {
    const auto section = std::string_view(*table).substr(i * kSectionBytes, kSectionBytes);
    if (!section.starts_with(".cmdline")) continue;
    // The section in memory may be shorter than what stands in the file, which is filled up.
    const std::size_t size = std::min(u32_at(section, 8), u32_at(section, 16));
    if (size > kCommandLineBytesMax) return Error{Errc::too_large, "a command line over 64 KiB"};
    auto text = read_at(u32_at(section, 20), size);
    if (!text) return text.error();
    if (text->size() < size) return invalid;
    return std::optional(text->substr(0, text->find('\0')));
  }
  return std::optional<std::string>{};
}

}  // namespace vouch::drift
