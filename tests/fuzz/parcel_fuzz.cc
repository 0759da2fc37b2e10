// SPDX-License-Identifier: Apache-2.0
// Parcels: the input as a frame, and as the archive inside one. What is read is written again to
// the same archive.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "core/zstd.h"
#include "proto/parcel.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)vouch::read_parcel(bytes);
  const auto parcel = vouch::read_parcel(vouch::zstd::compress(bytes, 1));
  if (!parcel) return 0;
  const auto again = vouch::write_archive(parcel->envelope, parcel->blobs);
  if (!again || *again != bytes) std::abort();
  return 0;
}
