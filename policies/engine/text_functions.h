// SPDX-License-Identifier: Apache-2.0
// SQLite's functions of text that look at all of it, in our own words: the same results, but what
// they do is counted (work.h), and none takes the product of two lengths: instr, replace, length,
// substr, substring, trim, ltrim, rtrim, like, glob.
#pragma once

#include "core/result.h"
#include "policies/engine/work.h"

struct sqlite3;

namespace vouch::policy {

// `work` must outlive the connection.
Status register_text_functions(sqlite3* database, Work* work);

}  // namespace vouch::policy
