// SPDX-License-Identifier: Apache-2.0
// The limits that are part of the formats (docs/formats/conventions.md). A reader refuses what is
// above them; a writer never makes it. Nothing is ever truncated to fit.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vouch {

inline constexpr std::size_t kKiB = 1024;
inline constexpr std::size_t kMiB = 1024 * kKiB;

inline constexpr std::int64_t kTableRowsMax = 1'000'000;
inline constexpr std::size_t kBlobBytesMax = 64 * kMiB;    // Raw bytes of one blob.
inline constexpr std::size_t kRowLineBytesMax = 1 * kMiB;  // With its LF.
inline constexpr std::size_t kCellBytesMax = 64 * kKiB;    // A text or bytes cell.
inline constexpr std::size_t kCollectorTablesMax = 64;
inline constexpr std::size_t kTableColumnsMax = 128;
inline constexpr std::size_t kCollectorOutputBytesMax = 128 * kMiB;
inline constexpr std::size_t kCacheTokenBytesMax = 64 * kKiB;
inline constexpr std::size_t kMessageBytesMax = 1 * kKiB;  // A message in a table or a record.

inline constexpr std::size_t kSubjectsMax = 1024;  // Blobs of a bundle; at least one.
inline constexpr std::size_t kBundleBlobBytesMax = 512 * kMiB;
inline constexpr std::size_t kRecordsMax = 4096;
inline constexpr std::size_t kStatementBytesMax = 4 * kMiB;
inline constexpr std::size_t kEnvelopeBytesMax = 6 * kMiB;
inline constexpr std::size_t kParcelBytesMax = 528 * kMiB;    // As sent, and expanded: each.
inline constexpr std::size_t kParcelHeadBytesMax = 8 * kMiB;  // Read before the envelope is known.

}  // namespace vouch
