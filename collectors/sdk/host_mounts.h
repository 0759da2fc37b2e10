// SPDX-License-Identifier: Apache-2.0
// The host's mount table for a collector that runs in a mount namespace of its own.
#pragma once

#include <cstddef>
#include <string>

#include "core/result.h"

namespace vouch::sdk {

// What the descriptor named by VOUCH_HOST_MOUNTS holds (docs/formats/collector-protocol.md): the
// table of process 1, as it is now. Errc::not_found: none was handed over.
Result<std::string> host_mounts(std::size_t bytes_max);

}  // namespace vouch::sdk
