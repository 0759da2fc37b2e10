// SPDX-License-Identifier: Apache-2.0
#include "proto/archive_header.h"

#include <fmt/format.h>

#include <cassert>
#include <cstdint>

namespace vouch {
namespace {

constexpr std::size_t kNameBytes = 100;
constexpr std::size_t kSizeOffset = 124;
constexpr std::size_t kSizeDigits = 11;
constexpr std::size_t kChecksumOffset = 148;
constexpr std::size_t kChecksumBytes = 8;
constexpr std::uint64_t kSizeMax = 077777777777;

std::string padded(std::string_view text, std::size_t width) {
  std::string field(text);
  field.resize(width, '\0');
  return field;
}

}  // namespace

std::string archive_header(std::string_view name, std::size_t size_bytes) {
  assert(name.size() < kNameBytes && size_bytes <= kSizeMax);
  auto block = padded(name, kNameBytes);
  block += padded("0000644", 8);  // mode
  block += padded("0000000", 8);  // uid
  block += padded("0000000", 8);  // gid
  block += padded(fmt::format("{:011o}", size_bytes), 12);
  block += padded("00000000000", 12);         // mtime
  block += std::string(kChecksumBytes, ' ');  // summed as spaces
  block += '0';                               // a regular file
  block += padded("", 100);                   // linkname
  block += padded("ustar", 6);
  block += "00";
  block += padded("", 64);                 // uname, gname
  block += padded("0000000", 8);           // devmajor
  block += padded("0000000", 8);           // devminor
  block.resize(kArchiveBlockBytes, '\0');  // prefix, and 12 unused bytes

  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  block.replace(kChecksumOffset, kChecksumBytes, fmt::format("{:06o}", sum) + '\0' + ' ');
  return block;
}

Result<ArchiveMember> parse_archive_header(std::string_view block) {
  const Error invalid{Errc::invalid, "not a header of the one form allowed"};
  if (block.size() != kArchiveBlockBytes) return invalid;
  ArchiveMember member;
  member.name = block.substr(0, kNameBytes);
  member.name.resize(member.name.find('\0') == std::string::npos ? kNameBytes
                                                                 : member.name.find('\0'));
  for (const char digit : block.substr(kSizeOffset, kSizeDigits)) {
    if (digit < '0' || digit > '7') return invalid;
    member.size_bytes = member.size_bytes * 8 + static_cast<std::size_t>(digit - '0');
  }
  if (member.name.empty() || member.name.size() >= kNameBytes) return invalid;
  if (archive_header(member.name, member.size_bytes) != block) return invalid;
  return member;
}

std::size_t archive_padding(std::size_t size_bytes) {
  return (kArchiveBlockBytes - size_bytes % kArchiveBlockBytes) % kArchiveBlockBytes;
}

}  // namespace vouch
