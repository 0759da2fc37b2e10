// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <set>

#include "policies/engine/framework.h"

namespace vouch::policy {
namespace {

// The bound against one check's parameter; empty: it holds.
std::string broken(const ParamBound& bound, const json::Value& value) {
  if (bound.equals && *bound.equals != value) {
    return fmt::format("{} is {}, not {}", bound.param, json::write(value),
                       json::write(*bound.equals));
  }
  if (!bound.at_most && !bound.at_least) return {};
  const auto* integer = value.if_integer();
  if (integer == nullptr) return fmt::format("{} is no integer", bound.param);
  if (bound.at_most && *integer > *bound.at_most) {
    return fmt::format("{} is {}, over {}", bound.param, *integer, *bound.at_most);
  }
  if (bound.at_least && *integer < *bound.at_least) {
    return fmt::format("{} is {}, under {}", bound.param, *integer, *bound.at_least);
  }
  return {};
}

bool has_param(const Control& control, const std::string& param) {
  for (const auto& check : control.checks) {
    if (check.params.contains(param)) return true;
  }
  return false;
}

}  // namespace

std::string broken_bound(const MappingEntry& entry, const Control& control) {
  for (const auto& bound : entry.when) {
    for (const auto& check : control.checks) {
      const auto param = check.params.find(bound.param);
      if (param == check.params.end()) continue;
      if (auto what = broken(bound, param->second); !what.empty()) return what;
    }
    if (!has_param(control, bound.param)) return "there is no parameter " + bound.param;
  }
  return {};
}

std::vector<std::string> check_mapping(const Mapping& mapping, const Framework& framework,
                                       const PackSet& packs) {
  std::vector<std::string> problems;
  std::set<std::pair<std::string, std::string>> pairs;
  std::set<std::string> mapped;
  const auto report = [&](const MappingEntry& entry, std::string_view what) {
    problems.push_back(
        fmt::format("{}:{}:{}: {}", mapping.file_name, entry.mark.line, entry.mark.column, what));
  };
  for (const auto& entry : mapping.entries) {
    mapped.insert(entry.control);
    const auto* control = packs.find_control(entry.control);
    if (control == nullptr) report(entry, "no pack has a control " + entry.control);
    if (!pairs.emplace(entry.control, entry.criterion).second) {
      report(entry, fmt::format("control {} is mapped to {} twice", entry.control,
                                entry.criterion.empty() ? "nothing" : entry.criterion));
    }
    if (entry.criterion.empty()) continue;
    if (framework.find(entry.criterion) == nullptr) {
      report(entry, fmt::format("{} has no criterion {}", framework.id, entry.criterion));
    }
    for (const auto& bound : entry.when) {
      if (control != nullptr && !has_param(*control, bound.param)) {
        report(entry, fmt::format("no check of control {} has a parameter {}", entry.control,
                                  bound.param));
      }
    }
  }
  for (const auto& entry : mapping.entries) {
    if (entry.criterion.empty() && pairs.lower_bound({entry.control, "!"}) != pairs.end() &&
        pairs.lower_bound({entry.control, "!"})->first == entry.control) {
      report(entry, fmt::format("control {} is mapped and unmapped", entry.control));
    }
  }
  for (const auto& pack : packs.packs()) {
    for (const auto& control : pack.controls) {
      if (mapped.contains(control.id)) continue;
      problems.push_back(fmt::format(
          "{}:{}:{}: control {} has no entry in {}: map it, or say `unmapped` and why",
          pack.file_name, control.mark.line, control.mark.column, control.id, mapping.file_name));
    }
  }
  return problems;
}

}  // namespace vouch::policy
