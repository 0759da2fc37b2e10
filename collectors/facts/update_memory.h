// SPDX-License-Identifier: Apache-2.0
// Since when updates have been pending, and how long those took that were installed since: what
// package managers do not keep. Lives in the collector's own directory between runs. (A baseline's
// `first_seen` would need a person's approval first, and says nothing once the update is in.)
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/root.h"
#include "core/version_compare.h"

namespace vouch::facts {

// An installed version for which a run has seen a newer one.
struct SeenUpdate {
  std::string name;
  std::string arch;
  std::string installed_version;
  bool is_security = false;
};

// The newest version of each package that is on the disk now, by name and architecture.
using InstalledVersions = std::map<std::pair<std::string, std::string>, std::string>;

// An installed version for which there is a newer one. The clock runs from the first update that
// this version lacks: a second update over the first does not restart it.
struct PendingUpdate {
  std::string name;
  std::string arch;
  std::string installed_version;
  WallSeconds pending_since = 0;
  std::optional<WallSeconds> security_since;  // None: no security update.
  bool operator==(const PendingUpdate&) const = default;
};

struct AppliedUpdate {
  PendingUpdate update;
  std::string new_version;
  WallSeconds applied = 0;  // The first run that saw the new version.
  bool operator==(const AppliedUpdate&) const = default;
};

inline constexpr WallSeconds kAppliedAgeMax = 400 * 86400;  // A period of a year, and a month.
inline constexpr std::size_t kAppliedMax = 20000;

class UpdateMemory {
 public:
  std::string token;                   // Of the reading that `pending` was made from.
  std::vector<PendingUpdate> pending;  // By name, architecture, version.
  std::vector<AppliedUpdate> applied;  // Oldest first.

  // Takes in what a reading found at `now`. If it is not whole, what is no longer found is kept
  // as pending: the list that has it may be the one that could not be read.
  void observe(const std::vector<SeenUpdate>& updates, const InstalledVersions& installed,
               VersionScheme scheme, WallSeconds now, bool is_whole);

  // A private format with a checksum. parse() refuses (Errc::corrupt) anything else.
  [[nodiscard]] std::string serialize() const;
  static Result<UpdateMemory> parse(std::string_view bytes);
  bool operator==(const UpdateMemory&) const = default;
};

// The file in the collector's directory. One for each examined root: an image's updates are not the
// host's.
std::string update_memory_path(const std::string& cache_dir, const Root& root);

struct StoredMemory {
  UpdateMemory updates;
  std::optional<Error> lost;  // There was one, and it cannot be used: ages count from now.
};
StoredMemory load_update_memory(const std::string& path);
Status store_update_memory(const std::string& path, const UpdateMemory& memory);

}  // namespace vouch::facts
