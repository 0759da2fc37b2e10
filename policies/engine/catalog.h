// SPDX-License-Identifier: Apache-2.0
// The tables that packs may read: policies/tables.yaml, a copy of the collectors' manifests (a
// test compares the two). Packs are tested and explained against it where no collector runs.
// On a host the manifests themselves are used.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/result.h"
#include "policies/engine/table.h"
#include "proto/manifest.h"

namespace vouch::policy {

struct Catalog {
  SchemaMap tables;
  std::map<std::string, std::string, std::less<>> collectors;  // Table: who owns it.
};

// Errors are "<file_name>:<line>:<column>: <what>".
Result<Catalog> load_catalog(std::string_view text, std::string_view file_name);

// Adds a collector's tables. Refuses a table that another collector has already.
Status add_manifest(Catalog& catalog, const Manifest& manifest);

}  // namespace vouch::policy
