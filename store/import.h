// SPDX-License-Identifier: Apache-2.0
// Parcels that came on a stick (docs/formats/parcel.md, "Without a network"): the directory that
// `vouch parcel export` wrote, taken in seq order through the very checks of the network's way, and
// receipts beside each for the way home.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/result.h"
#include "store/http.h"
#include "store/index_readers.h"
#include "store/receipts.h"

namespace vouch::store {

struct ImportCounts {
  std::int64_t taken = 0;
  std::int64_t known = 0;  // On record before.
  std::int64_t refused = 0;
  std::int64_t skipped = 0;  // Of the same agent, after one that was refused.
};

// A parcel that was not taken: its file, the HTTP status that it would have got, and why.
using RefusalSink =
    std::function<void(const std::string& file, int status, const std::string& problem)>;

// Reads `dir`/<agent>/<seq>.parcel; other names are passed over. All are taken before the first
// receipt is written, so that all receipts stand under one checkpoint:
//
//   <seq>.tlog-proof     the receipt
//   <seq>.consistency    from the checkpoint that the bundle has seen to the receipt's, if any
//   <seq>.refused.json   what the network would have answered; .fork: the proof of a 409
//
// Fails where `dir` cannot be read or written; a parcel that is refused is no failure. The store
// must not be serving.
Result<ImportCounts> import_parcels(Handler& handler, IndexReaders& readers, Disk& disk,
                                    Receipts& receipts, const std::string& dir,
                                    const RefusalSink& sink);

}  // namespace vouch::store
