// SPDX-License-Identifier: Apache-2.0
// The RPM database of a root. No configuration of rpm is read, since its macros can run programs;
// nothing is locked and nothing written.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/result.h"
#include "core/root.h"

namespace vouch::rpm_packages {

struct RpmPackage {
  std::string name;
  std::optional<std::int64_t> epoch;
  std::string version;
  std::string release;
  std::string arch;        // "(none)" for keys.
  std::string source_rpm;  // Empty: none is named.
  std::string vendor;      // Empty: none is named.
  std::string key_id;      // Of the key that signed it; empty: not signed.
  WallSeconds installed = 0;
};

// Where the database is, and in which of rpm's formats.
struct DatabasePlace {
  std::string path;     // "/usr/lib/sysimage/rpm"
  std::string file;     // "/usr/lib/sysimage/rpm/rpmdb.sqlite"
  std::string backend;  // "sqlite", "ndb", "bdb_ro"
};
// not_found: there is no database in any of the places.
Result<DatabasePlace> find_database(const Root& root);

using TakePackage = std::function<void(const RpmPackage&)>;

// Calls `take` for each installed package. Errors: corrupt (librpm cannot read it), unsupported
// (this librpm cannot read that format).
Status read_database(const Root& root, const DatabasePlace& place, const TakePackage& take);

// The key's id of what librpm says of a signature: "RSA/SHA256, Mon 01 Jan 2026 …, Key ID
// 199e2f91fd431d51" gives "199e2f91fd431d51"; empty if there is none.
std::string key_id_of(std::string_view signature);

}  // namespace vouch::rpm_packages
