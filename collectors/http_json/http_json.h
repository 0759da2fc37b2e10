// SPDX-License-Identifier: Apache-2.0
// The collector `http_json`: APIs that answer in JSON, as tables that the site declares
// (docs/collectors/declared.md). Runs where the network is: vouch-collect-net@http_json.
#pragma once

#include "collectors/sdk/manifest.h"

namespace vouch::http_json {

sdk::Collector make_http_json();

}  // namespace vouch::http_json
