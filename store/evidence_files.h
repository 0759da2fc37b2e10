// SPDX-License-Identifier: Apache-2.0
// The files of evidence as they are now: at their places, or still promised by the index, or gone.
// What is read here is checked against its digest, so a file that was damaged is never served, and
// never taken for one that the store has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"
#include "store/disk.h"
#include "store/index.h"

namespace vouch::store {

// Whether the file is there, or promised. Does not look inside: cheap.
Result<bool> is_kept(Disk& disk, Index& index, const std::string& name);

// The raw bytes of a blob. Errc::not_found, or Errc::corrupt if they are not of the digest.
Result<std::string> read_blob(Disk& disk, Index& index, std::string_view sha256);
// The envelope as it was received. Errc::corrupt if it is not that of this bundle id.
Result<std::string> read_bundle(Disk& disk, Index& index, std::string_view agent, std::int64_t seq,
                                std::string_view bundle_id);
// One of any name (a fork, an expanded statement), expanded if the name ends in ".zst", unchecked.
Result<std::string> read_kept(Disk& disk, Index& index, const std::string& name,
                              std::size_t bytes_max);

// The reason to write it again: it is gone, or not what it should be.
template <typename T>
bool is_lost(const Result<T>& read) {
  return !read && (read.error().code == Errc::not_found || read.error().code == Errc::corrupt);
}

}  // namespace vouch::store
