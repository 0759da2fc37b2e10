// SPDX-License-Identifier: Apache-2.0
// Drop notices at the store's end (docs/formats/drop-notice.md): an agent says which blobs of a
// bundle are lost; the log says so too; then the bundle is taken without them.
#pragma once

#include <memory>

#include "core/clock.h"
#include "store/bounds.h"
#include "store/committer.h"
#include "store/http.h"
#include "store/index_readers.h"
#include "store/receipts.h"

namespace vouch::store {

// The members must outlive every upload.
struct DropContext {
  const Clock& clock;
  IndexReaders& readers;
  Receipts& receipts;
  Committer& committer;
  QuotaBook& quotas;
  ByteBudget& heads;  // For notices whose signature has not been checked.
};

// 201 and the receipt of the `drop` leaf; 200 for the same notice again; or a problem.
std::unique_ptr<Upload> make_drop_upload(DropContext& context);

}  // namespace vouch::store
