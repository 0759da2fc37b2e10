// SPDX-License-Identifier: Apache-2.0
// Between two cycles the daemon sleeps for minutes, and should be small: what a cycle needed goes
// back to the system.
#pragma once

namespace vouch::sqlite {
class Database;
}

namespace vouch::agent {

// Only the code. While a collector runs there is little to do here, and much memory in use there.
void release_code();

// The pages that `ledger` has read, what is free on the heap, and the code that was needed: that
// stays in the system's cache, which may now drop it, and comes back page by page when it is used.
void release_idle_memory(sqlite::Database& ledger);

}  // namespace vouch::agent
