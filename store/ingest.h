// SPDX-License-Identifier: Apache-2.0
// One parcel, from its first byte to its receipt. Everything that costs time is done on the
// caller's thread, many parcels at once; only the decision against the chain as it then is, and the
// writing, belong to the committer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "core/clock.h"
#include "store/bounds.h"
#include "store/committer.h"
#include "store/disk.h"
#include "store/http.h"
#include "store/index_readers.h"
#include "store/receipts.h"
#include "store/screen.h"

namespace vouch::store {

// What all parcels share. The members must outlive every upload.
struct IngestContext {
  const Clock& clock;
  Disk& disk;
  IndexReaders& readers;
  Receipts& receipts;
  Committer& committer;
  QuotaBook& quotas;
  ByteBudget& memory;
  ByteBudget& heads;
  CompatAnswer compat;
  WallMs late_after_ms;           // From sealing to receipt; above it the log says so.
  std::uint64_t repin_below = 0;  // Receipts::repin_below()
};

// `declared_bytes`: the Content-Length, if there was one.
std::unique_ptr<Upload> make_parcel_upload(IngestContext& context,
                                           std::optional<std::uint64_t> declared_bytes);

}  // namespace vouch::store
