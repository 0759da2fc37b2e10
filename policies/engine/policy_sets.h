// SPDX-License-Identifier: Apache-2.0
// The policy sets that records name by digest, loaded from the blobs of their packs.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "core/result.h"
#include "policies/engine/pack.h"
#include "proto/subjects.h"

namespace vouch::policy {

// Keeps the sets loaded last: hosts of a fleet take turns in a log, and most have one policy.
class PolicySets {
 public:
  static constexpr std::size_t kKeptMax = 16;

  // The set of this digest; valid until the next call. Errc::not_found: a blob of it is missing;
  // another error: what the blobs say is no policy set.
  Result<const PackSet*> load(std::string_view digest, const BlobReader& blobs);

 private:
  std::map<std::string, PackSet, std::less<>> sets_;
};

}  // namespace vouch::policy
