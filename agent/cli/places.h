// SPDX-License-Identifier: Apache-2.0
// Where the command line finds configuration, collectors and policies. One rule:
//
//   1. --config FILE, else /etc/vouch/vouchd.yaml if there is one: its collectors and packs.
//   2. Without a configuration, from the place of the program itself: installed as <prefix>/bin,
//      <prefix>/libexec/vouch/collectors and <prefix>/share/vouch/policies; in a source tree, the
//      program's own directory and the nearest policies/ above it.
//
// Frameworks, mappings and tables.yaml always come from 2; --pack takes the place of the packs.
#pragma once

#include <string>
#include <vector>

#include "agent/cli/command.h"
#include "agent/vouchd/collector.h"
#include "agent/vouchd/config.h"
#include "core/result.h"
#include "policies/engine/catalog.h"
#include "policies/engine/framework.h"
#include "policies/engine/pack.h"

namespace vouch::cli {

inline constexpr std::string_view kDefaultConfig = "/etc/vouch/vouchd.yaml";

struct Places {
  std::string config_file;  // Empty: none, found from the program's place.
  agent::Config config;     // With collectors and packs, whichever way they were found.
  std::string policies;     // The directory with frameworks/, mappings/, tables.yaml; may be empty.
};

Result<Places> find_places(const Arguments& arguments);
// Prints the error of find_places(): what is wrong in the file is exit 78.
int fail_configuration(const Error& error, const Output& output);

Result<std::vector<agent::Collector>> load_collectors(const Places& places);
Result<policy::PackSet> load_packs(const Places& places);
Result<policy::FrameworkLibrary> load_frameworks(const Places& places);
Result<policy::Catalog> load_tables(const Places& places);

}  // namespace vouch::cli
