// SPDX-License-Identifier: Apache-2.0
#include "policies/engine/control_rule.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/digest.h"
#include "core/json.h"

namespace vouch::policy {
namespace {

json::Value definition_of(const Check& check) {
  json::Array tables;
  for (const auto& table : check.tables) tables.emplace_back(table);
  return json::Object{{"id", check.id},
                      {"tables", std::move(tables)},
                      {"applies", check.applies},
                      {"sql", check.sql},
                      {"tolerates_gaps", check.tolerates_gaps}};
}

json::Value parameters_of(const Check& check) {
  json::Object parameters;
  for (const auto& [name, value] : check.params) parameters.emplace(name, value);
  return parameters;
}

}  // namespace

Rules rules_of(const PackSet& packs, RulePool& pool) {
  Rules rules;
  for (const auto& pack : packs.packs()) {
    for (const auto& control : pack.controls) {
      if (control.checks.empty()) continue;
      std::vector<const Check*> checks;
      for (const auto& check : control.checks) checks.push_back(packs.find_check(check.id));
      std::ranges::sort(checks, {}, [](const Check* check) { return check->id; });
      ControlRule rule{control.id, control.frequency_s, {}, "", ""};
      json::Array definitions;
      json::Object parameters;
      for (const auto* check : checks) {
        rule.checks.push_back(check->id);
        definitions.push_back(definition_of(*check));
        if (!check->params.empty()) parameters.emplace(check->id, parameters_of(*check));
      }
      rule.definition = sha256_hex(json::write(definitions));
      rule.parameters = json::write(parameters);
      const auto& kept = *pool.insert(std::move(rule)).first;
      rules.emplace(kept.control, &kept);
    }
  }
  return rules;
}

std::string_view to_string(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::pack:
      return "pack";
    case ChangeKind::parameters:
      return "parameters";
    case ChangeKind::schedule:
      return "schedule";
  }
  return "";
}

std::vector<RuleChange> changes_between(const ControlRule& before, const ControlRule& after) {
  std::vector<RuleChange> changes;
  if (before.frequency_s != after.frequency_s) {
    changes.push_back({ChangeKind::pack, fmt::format("frequency {} s → {} s", before.frequency_s,
                                                     after.frequency_s)});
  }
  if (before.checks != after.checks) {
    changes.push_back(
        {ChangeKind::pack, fmt::format("checks {} → {}", fmt::join(before.checks, " "),
                                       fmt::join(after.checks, " "))});
  } else if (before.definition != after.definition) {
    changes.push_back({ChangeKind::pack, "what its checks ask"});
  }
  if (before.parameters != after.parameters) {
    changes.push_back(
        {ChangeKind::parameters, fmt::format("{} → {}", before.parameters, after.parameters)});
  }
  return changes;
}

}  // namespace vouch::policy
