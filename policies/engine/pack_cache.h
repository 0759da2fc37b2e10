// SPDX-License-Identifier: Apache-2.0
// Packs that were read before. Reading YAML is most of what a start of the agent costs, and the
// packs are the same on almost every one: what was read is kept as JSON, by the digest of the text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "policies/engine/pack.h"

namespace vouch::policy {

// Where it is kept. What another build of this program has kept must not be found: its rules of
// reading may be others.
class PackCache {
 public:
  virtual ~PackCache() = default;
  virtual std::optional<std::string> find(std::string_view pack_digest) = 0;
  virtual void keep(std::string_view pack_digest, std::string_view form) = 0;
};

// All of a pack but its text and its tests, which only `vouch policy test` runs.
std::string write_pack_form(const Pack& pack);
// The pack with this text, from what write_pack_form() made of it.
Result<Pack> read_pack_form(std::string_view form, std::string text, std::string_view file_name);

// load_pack_set() without the tests of checks. What is not in the cache is read, and kept there.
Result<PackSet> load_pack_set_cached(const std::vector<std::string>& paths, PackCache& cache);

}  // namespace vouch::policy
