// SPDX-License-Identifier: Apache-2.0
// What one record may bring into a bundle (docs/formats/conventions.md): a bundle is split where
// its records are too many, but one record is never split. So that sealing always goes on, a
// record leaves out its largest inputs, then its largest tables; the checks that read those are
// `error`, `too-large`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "proto/limits.h"
#include "proto/record.h"

namespace vouch::agent {

// Bytes of each blob that a record refers to, by digest.
using BlobSizes = std::map<std::string, std::int64_t, std::less<>>;

// What is kept free for the rest of a bundle: its configuration.
inline constexpr std::size_t kOtherSubjectsMax = 4;
inline constexpr std::size_t kOtherBytesMax = 8 * kMiB;
// All packs in force together. A policy-change names two sets of them.
inline constexpr std::size_t kPacksInForceMax = 400;
inline constexpr std::size_t kPacksBytesMax = 128 * kMiB;

// True if a bundle holds a record with these blobs.
bool fits_a_bundle(const BlobSizes& blobs);

// Puts the error `too-large` in place of the largest input, or where none is left of the largest
// table; `columns` stays, since nothing is judged without it. False if there was nothing left.
bool leave_out_largest(RunContent& content, const BlobSizes& sizes);

}  // namespace vouch::agent
