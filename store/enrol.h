// SPDX-License-Identifier: Apache-2.0
// Enrolment at the store's end (docs/formats/enrolment.md): a request whose MAC an unspent token
// explains becomes an agent and an `enrol` leaf, in one transaction.
#pragma once

#include <string>
#include <string_view>

#include "core/clock.h"
#include "store/committer.h"
#include "store/http.h"
#include "store/index_readers.h"
#include "store/receipts.h"

namespace vouch::store {

// The members must outlive every request.
struct EnrolContext {
  const Clock& clock;
  IndexReaders& readers;
  Receipts& receipts;
  Committer& committer;
  std::string vkey;    // The log's.
  std::string policy;  // The policy file that agents get.
};

// Answers by `done`, once: 201, 200 for the same key and token again, or a problem.
void enrol_agent(EnrolContext& context, std::string_view body, const Done& done);

}  // namespace vouch::store
