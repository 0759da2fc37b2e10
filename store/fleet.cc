// SPDX-License-Identifier: Apache-2.0
#include "store/fleet.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "proto/outcomes.h"
#include "store/evidence_files.h"

namespace vouch::store {
namespace {

// Nobody has approved a waiver in this store, so each is a claim of its host.
std::vector<std::string> claimed_waivers(const std::vector<Outcome>& outcomes) {
  std::set<std::string> ids;
  for (const auto& outcome : outcomes)
    ids.insert(outcome.waiver_ids.begin(), outcome.waiver_ids.end());
  return {ids.begin(), ids.end()};
}

}  // namespace

Result<policy::PackSet> packs_of_policy(const std::string& policy, Disk& disk, Index& index) {
  auto text = read_blob(disk, index, policy);
  if (!text) return std::move(text).error().in("policy set");
  auto entries = parse_policy_set(*text);
  if (!entries) return std::move(entries).error().in("policy set");
  std::vector<policy::Pack> packs;
  for (const auto& entry : *entries) {
    auto bytes = read_blob(disk, index, entry.sha256);
    if (!bytes) return std::move(bytes).error().in("pack " + entry.pack);
    auto pack = policy::load_pack(*std::move(bytes), entry.pack);
    if (!pack) return std::move(pack).error();
    packs.push_back(*std::move(pack));
  }
  return policy::PackSet::make(std::move(packs));
}

Result<std::vector<HostScorecard>> fleet_scorecards(Index& index, const std::string& directory,
                                                    const policy::Framework& framework,
                                                    const policy::Mapping& mapping, WallMs now,
                                                    std::vector<policy::PackSet>& keep) {
  auto agents = index.agents();
  if (!agents) return std::move(agents).error();
  auto runs = index.latest_runs();
  if (!runs) return std::move(runs).error();
  DirectoryDisk disk(directory, nullptr);   // Reads alone: what is being written stays.
  std::map<std::string, std::size_t> sets;  // Into `keep`, by digest.
  const policy::PackSet no_packs;
  std::vector<HostScorecard> rows;
  for (auto& agent : *agents) {
    HostScorecard row;
    std::vector<Outcome> outcomes;
    std::string policy;
    for (const auto& run : *runs) {
      if (run.agent != agent.link.agent) continue;
      auto blob = read_blob(disk, index, run.outcomes);
      if (is_lost(blob)) continue;  // Dropped, or gone: nothing is said of what it judged.
      if (!blob) return std::move(blob).error().in(agent.host + ": outcomes of " + run.run);
      auto read = read_outcomes(*blob);
      if (!read) return std::move(read).error().in(agent.host + ": outcomes of " + run.run);
      outcomes.insert(outcomes.end(), read->begin(), read->end());
      // The newest run's policy set is the one in force on that host.
      if (run.finished >= row.newest) policy = run.policy;
      row.newest = std::max(row.newest, run.finished);
    }
    if (!policy.empty() && sets.count(policy) == 0) {
      auto packs = packs_of_policy(policy, disk, index);
      if (!packs) return std::move(packs).error().in(agent.host);
      sets.emplace(policy, keep.size());
      keep.push_back(*std::move(packs));
    }
    const auto& packs = policy.empty() ? no_packs : keep[sets[policy]];
    row.scorecard = policy::make_scorecard(framework, mapping, packs, outcomes, {},
                                           claimed_waivers(outcomes), format_second(now / 1000));
    row.agent = std::move(agent);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace vouch::store
