// SPDX-License-Identifier: Apache-2.0
// File descriptors: each connection takes one, and a store that runs out of them can neither accept
// nor write.
#pragma once

#include <cstddef>

#include "core/result.h"

namespace vouch::store {

// What the store opens besides connections: its index, once more for each reader, the files of a
// batch, the log.
inline constexpr std::size_t kDescriptorsBesideConnections = 256;

// Raises the process's soft limit (RLIMIT_NOFILE) to at least `wanted`, and the hard one where that
// is allowed. Returns the limit that holds now, which may be lower.
Result<std::size_t> raise_descriptor_limit(std::size_t wanted);

// How many of `connections_max` connections fit under `descriptors`. Errc::unavailable, saying what
// to change, if none does.
Result<std::size_t> connections_that_fit(std::size_t connections_max, std::size_t descriptors);

}  // namespace vouch::store
