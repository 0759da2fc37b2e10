// SPDX-License-Identifier: Apache-2.0
// What a policy set asks of each control: how often it must be judged, by which checks, with which
// parameters. Small enough to be kept for every policy that a log has seen, and comparable, so that
// a change inside a period shows.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "policies/engine/pack.h"

namespace vouch::policy {

struct ControlRule {
  std::string control;
  std::int64_t frequency_s = 0;
  std::vector<std::string> checks;  // Ids, sorted.
  std::string definition;           // SHA-256 of what the checks read and ask, without parameters.
  std::string parameters;           // JCS: {"<check>":{"<parameter>":<value>}}, those in force.

  auto operator<=>(const ControlRule&) const = default;
  bool operator==(const ControlRule&) const = default;
};

// Each rule once, however many policy sets have it. Pointers into it stay valid.
using RulePool = std::set<ControlRule>;
// By id of the control.
using Rules = std::map<std::string_view, const ControlRule*>;

// The rules of a set. Controls without checks (of a pack that only overrides) ask for nothing.
Rules rules_of(const PackSet& packs, RulePool& pool);

enum class ChangeKind { pack, parameters, schedule };
std::string_view to_string(ChangeKind kind);

// How two rules of one control differ, for a person: "frequency 3600 s → 86400 s".
struct RuleChange {
  ChangeKind kind = ChangeKind::pack;
  std::string what;
};
std::vector<RuleChange> changes_between(const ControlRule& before, const ControlRule& after);

}  // namespace vouch::policy
