// SPDX-License-Identifier: Apache-2.0
// Where the store is: what `vouch enroll` left in the state directory (store.json, store-ca.pem).
#pragma once

#include <string>

#include "agent/ship/curl_transport.h"
#include "core/result.h"

namespace vouch::ship {

// Errc::not_found: this host is not enrolled.
Result<CurlOptions> read_store_file(const std::string& state_dir);

}  // namespace vouch::ship
