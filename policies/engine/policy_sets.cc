// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/policy_sets.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "proto/outcomes.h"

namespace vouch::policy {
namespace {

Result<PackSet> read_set(std::string_view digest, const BlobReader& blobs) {
  auto set = blobs(digest);
  if (!set) return std::move(set).error().in("policy set");
  auto entries = parse_policy_set(*set);
  if (!entries) return std::move(entries).error().in("policy set");
  std::vector<Pack> packs;
  for (const auto& entry : *entries) {
    auto text = blobs(entry.sha256);
    if (!text) return std::move(text).error().in("pack " + entry.pack);
    auto pack = load_pack(*std::move(text), "pack/" + entry.pack);
    if (!pack) return std::move(pack).error();
    if (pack->id != entry.pack) {
      return Error{Errc::invalid, fmt::format("pack {} calls itself {}", entry.pack, pack->id)};
    }
    packs.push_back(*std::move(pack));
  }
  return PackSet::make(std::move(packs));
}

}  // namespace

Result<const PackSet*> PolicySets::load(std::string_view digest, const BlobReader& blobs) {
  if (const auto kept = sets_.find(digest); kept != sets_.end()) return &kept->second;
  auto set = read_set(digest, blobs);
  if (!set) return std::move(set).error();
  if (sets_.size() >= kKeptMax) sets_.clear();
  return &sets_.emplace(digest, *std::move(set)).first->second;
}

}  // namespace vouch::policy
