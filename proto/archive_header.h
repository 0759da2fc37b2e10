// SPDX-License-Identifier: Apache-2.0
// The one form of ustar header that parcels have (docs/formats/parcel.md). A reader re-makes each
// header from the name and size in it and compares all 512 bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/result.h"

namespace vouch {

inline constexpr std::size_t kArchiveBlockBytes = 512;

struct ArchiveMember {
  std::string name;
  std::size_t size_bytes = 0;
};

// `name` has at most 99 bytes, `size_bytes` at most 11 octal digits (assert).
std::string archive_header(std::string_view name, std::size_t size_bytes);
// `block` has 512 bytes. Errc::invalid unless archive_header() makes exactly these.
Result<ArchiveMember> parse_archive_header(std::string_view block);
// NULs after `size_bytes` of data, up to the next block.
std::size_t archive_padding(std::size_t size_bytes);

}  // namespace vouch
