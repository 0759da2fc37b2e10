// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/judge_inputs.h"

#include <algorithm>
#include <tuple>

#include "core/digest.h"

namespace vouch::agent {
namespace {

constexpr std::string_view kBaseline = "baseline_";
constexpr std::string_view kPrevious = "previous_";
constexpr std::string_view kRegister = "register_";
constexpr std::string_view kDrift = "drift";
constexpr std::string_view kGaps = "gaps";

bool is_before(const TableRef& a, const TableRef& b) {
  return std::tie(a.name, a.run) < std::tie(b.name, b.run);
}

TableRef renamed(const TableRef& table, std::string name) {
  TableRef input = table;
  input.name = std::move(name);
  input.unchanged = false;
  return input;
}

// T of the collector's last good run: of this one's, or of the one that has T. Empty if there was
// none.
TableRef previous_of(const std::string& name, const Collector& collector, const History& history) {
  const auto table = std::string_view(name).substr(kPrevious.size());
  const TableRef* found = history.before ? find_table(history.before->tables, table) : nullptr;
  for (const Observed& other : history.others) {
    const TableRef* theirs = find_table(other.content->tables, table);
    if (collector.manifest.find(table) == nullptr && theirs != nullptr) found = theirs;
  }
  if (found != nullptr) return renamed(*found, name);
  TableRef empty;
  empty.name = name;
  empty.sha256 = kEmptyDigestHex;
  return empty;
}

// The approved state of T: of this collector's T or, where it has none, of another's.
std::optional<TableRef> baseline_of(const std::string& name, const Collector& collector,
                                    const History& history) {
  const auto table = std::string_view(name).substr(kBaseline.size());
  const bool is_own = collector.manifest.find(table) != nullptr;
  const Baseline* found = find_baseline(history.baselines, collector.name, table);
  for (const Baseline& other : history.baselines) {
    if (!is_own && found == nullptr && other.table.name == table) found = &other;
  }
  if (found == nullptr) return std::nullopt;
  return renamed(found->table, name);
}

}  // namespace

const TableRef* find_table(const std::vector<TableRef>& tables, std::string_view name) {
  for (const TableRef& table : tables) {
    if (table.name == name) return &table;
  }
  return nullptr;
}

const Baseline* find_baseline(const std::vector<Baseline>& baselines, std::string_view collector,
                              std::string_view table) {
  for (const Baseline& baseline : baselines) {
    if (baseline.collector == collector && baseline.table.name == table) return &baseline;
  }
  return nullptr;
}

std::set<std::string> tables_read(const policy::PackSet& packs, const Manifest& manifest) {
  std::set<std::string> names;
  for (const policy::Check* check : packs.checks()) {
    if (check->tables.empty() || manifest.find(check->tables.front()) == nullptr) continue;
    names.insert(check->tables.begin(), check->tables.end());
    const bool drifts =
        std::find(check->tables.begin(), check->tables.end(), kDrift) != check->tables.end();
    if (drifts) names.insert(std::string(kBaseline) + check->tables.front());
  }
  return names;
}

void add_input(std::vector<TableRef>& inputs, TableRef input) {
  const auto at = std::upper_bound(inputs.begin(), inputs.end(), input, is_before);
  inputs.insert(at, std::move(input));
}

std::vector<TableRef> inputs_of(const std::set<std::string>& wanted, const Collector& collector,
                                WallSeconds now, const History& history,
                                const std::vector<TableRef>& in_force) {
  std::vector<TableRef> inputs;
  for (const TableRef& table : in_force) {
    const bool is_list = table.name == "registers" || table.name.starts_with(kRegister);
    if (!is_list || wanted.contains(table.name)) inputs.push_back(table);
  }
  std::set<std::string> runs_read;
  const auto add_run = [&](const Observed& other, std::string_view table) {
    const TableRef* found = find_table(other.content->tables, table);
    if (found == nullptr) return;
    TableRef input = renamed(*found, found->name);
    input.run = other.run;
    inputs.push_back(std::move(input));
  };
  for (const std::string& name : wanted) {
    if (name.starts_with(kPrevious)) {
      inputs.push_back(previous_of(name, collector, history));
      continue;
    }
    if (name.starts_with(kBaseline)) {
      if (auto baseline = baseline_of(name, collector, history)) inputs.push_back(*baseline);
      continue;
    }
    if (name == kGaps || name == kDrift) continue;
    // Other collectors have the table, or other instances of this one: then it is the union.
    for (const Observed& other : history.others) {
      const bool fresh = now * 1000 - other.at <= kInputAgeMsMax;
      if (!fresh || find_table(other.content->tables, name) == nullptr) continue;
      add_run(other, name);
      if (runs_read.insert(other.run).second) add_run(other, kGaps);
    }
  }
  std::sort(inputs.begin(), inputs.end(), is_before);
  return inputs;
}

}  // namespace vouch::agent
