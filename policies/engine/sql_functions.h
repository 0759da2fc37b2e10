// SPDX-License-Identifier: Apache-2.0
// The SQL functions of the sandbox: which of SQLite's a check may call, and our own. The list is
// part of what `engine` in a record names: change it only together with kPolicyEngineVersion.
#pragma once

#include <string_view>

#include "core/result.h"
#include "policies/engine/work.h"

struct sqlite3;

namespace vouch::policy {

inline constexpr std::string_view kPolicyEngineVersion = "vouch-policy/2";

// True if a check's SQL may call it. `name` as SQLite's authorizer gives it: lower case.
bool is_function_allowed(std::string_view name);

// days_between, seconds_between, regexp, cidr_contains, version_compare; sum and abs for integers
// only, over SQLite's own; and those of text_functions.h. `work` must outlive the connection.
Status register_functions(sqlite3* database, Work* work);

}  // namespace vouch::policy
