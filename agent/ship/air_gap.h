// SPDX-License-Identifier: Apache-2.0
// Parcels by hand (docs/formats/outbox.md): out to a directory that somebody carries to the store,
// and what the store's `import` wrote beside them home again. The bytes are those that would have
// gone over the network; nothing counts as delivered until vouchd has checked a receipt.
#pragma once

#include <string>
#include <vector>

#include "agent/ship/courier.h"
#include "core/result.h"

namespace vouch::ship {

struct CopiedParcel {
  std::string path;
  std::string sha256;  // Of the copy, as it was read back.
};

// Copies a parcel to <directory>/<agent>/<seq>.parcel, durably, and reads it back.
Result<CopiedParcel> copy_parcel(const std::string& file, std::int64_t seq,
                                 const std::string& directory);

// All parcels of the outbox, and the drop notices (drops/<seq>.json beside them). Returns how many.
Result<int> export_parcels(const CourierPaths& paths, const std::string& directory);

// What a store wrote beside the parcels that still wait here, into receipts/. `agent` names the
// folder. Returns how many receipts.
Result<int> import_receipts(const CourierPaths& paths, const std::string& agent,
                            const std::string& directory);

}  // namespace vouch::ship
