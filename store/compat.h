// SPDX-License-Identifier: Apache-2.0
// Which formats and agents this store accepts: a note signed by the log key (docs/formats/api.md).
#pragma once

#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/result.h"
#include "proto/note.h"

namespace vouch {
class SigningKey;
}

namespace vouch::store {

struct Compat {
  std::string minor;           // "0.1": that of this release.
  std::string previous_minor;  // "0.0"
  WallSeconds since = 0;  // When this release came out; what was sealed before is taken for ever.
};

Compat compat_of_this_release();
// A bundle of this version, sealed at this time, is taken.
bool accepts(const Compat& compat, std::string_view agent_version, WallMs sealed);
Result<std::string> write_compat_note(const Compat& compat, const note::VerifierKey& vkey,
                                      const SigningKey& key);

}  // namespace vouch::store
