// SPDX-License-Identifier: Apache-2.0
// The tables that packs may read: policies/tables.yaml, a copy of the collectors' manifests (a
// test compares the two). Packs are tested and explained against it where no collector runs.
// On a host the manifests themselves are used.
#pragma once

#include <string_view>

#include "core/result.h"
#include "policies/engine/table.h"

namespace vouch::policy {

// Errors are "<file_name>:<line>:<column>: <what>".
Result<SchemaMap> load_catalog(std::string_view text, std::string_view file_name);

// Adds what a collector's `--describe` printed (docs/formats/collector-protocol.md).
Status add_manifest(SchemaMap& schemas, std::string_view manifest_json);

}  // namespace vouch::policy
