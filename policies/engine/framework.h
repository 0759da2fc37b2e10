// SPDX-License-Identifier: Apache-2.0
// Frameworks are data: criteria of one edition, which of our controls support them (mappings), and
// how two frameworks' criteria correspond (crosswalks). Shapes: docs/formats/packs.md. All loading
// is strict, with file:line:column in each message.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "core/yaml.h"
#include "policies/engine/pack.h"

namespace vouch::policy {

struct Criterion {
  std::string id;  // "CC6.1", "A.8.5"
  std::string title;
  std::string category;
  std::string group;
  std::string host;  // What a host can show of it: "direct", "supporting", "none"; may be empty.
};

struct Framework {
  std::string id;  // "soc2-2017", edition included.
  std::string title;
  std::string edition;
  std::vector<Criterion> criteria;  // In file order: the order of the standard.

  [[nodiscard]] const Criterion* find(std::string_view criterion) const;
};

Result<Framework> load_framework(std::string_view text, std::string_view file_name);

// A bound on a parameter that must hold for a mapping to count.
struct ParamBound {
  std::string param;
  std::optional<std::int64_t> at_most;
  std::optional<std::int64_t> at_least;
  std::optional<json::Value> equals;
};

struct MappingEntry {
  std::string control;
  std::string criterion;  // Empty: explicitly unmapped.
  std::string relation;   // "evidences" or "supports".
  std::vector<ParamBound> when;
  std::string why;
  std::string unmapped;  // Why no criterion asks for it.
  yaml::Mark mark;
};

struct Mapping {
  std::string framework;
  std::string file_name;
  std::vector<MappingEntry> entries;
};

Result<Mapping> load_mapping(std::string_view text, std::string_view file_name);

// What is wrong between a mapping, its framework and the packs in force: unknown criterion or
// control, a bound on a parameter that no check of the control has, a control without any entry,
// the same pair twice. Each is "<file>:<line>:<column>: …".
std::vector<std::string> check_mapping(const Mapping& mapping, const Framework& framework,
                                       const PackSet& packs);

// Empty if every bound holds for the control's effective parameters; else what does not hold, as
// "max_days is 120, over 90".
std::string broken_bound(const MappingEntry& entry, const Control& control);

struct CrosswalkPair {
  std::string from;
  std::string to;        // Empty: new in the target edition has an empty `from` instead.
  std::string relation;  // "strong", "partial", "same", "renamed", "merged", "split", "new".
  std::vector<std::string> sources;
};

struct Crosswalk {
  std::string from;
  std::string to;
  std::vector<CrosswalkPair> pairs;
};

Result<Crosswalk> load_crosswalk(std::string_view text, std::string_view file_name);

// All that a policies/ directory holds.
struct FrameworkLibrary {
  std::vector<Framework> frameworks;  // Sorted by id.
  std::vector<Mapping> mappings;      // At most one per framework.
  std::vector<Crosswalk> crosswalks;

  [[nodiscard]] const Framework* framework(std::string_view id) const;
  [[nodiscard]] const Mapping* mapping(std::string_view framework_id) const;
};

// Reads frameworks/, mappings/ and crosswalks/ below `policies_dir`; a missing folder is empty.
Result<FrameworkLibrary> load_framework_library(const std::string& policies_dir);

}  // namespace vouch::policy
