// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/utsname.h>

#include "policies/engine/evaluate.h"
#include "policies/engine/sql_functions.h"

namespace vouch::policy {

std::string engine_string() {
  struct utsname host {};
  const bool known = uname(&host) == 0;
  return fmt::format("{} sqlite/{} re2/{} {}", kPolicyEngineVersion, sqlite3_libversion(),
                     VOUCH_RE2_VERSION, known ? static_cast<const char*>(host.machine) : "unknown");
}

}  // namespace vouch::policy
