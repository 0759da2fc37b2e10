// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ostream>

#include "agent/cli/command.h"
#include "agent/cli/places.h"
#include "agent/cli/rows.h"
#include "policies/engine/framework.h"
#include "policies/engine/scorecard.h"

namespace vouch::cli {
namespace {

// A criterion that the check's control is mapped to.
struct Support {
  std::string framework;
  std::string criterion;
  std::string title;
  std::string relation;
  std::string why;
  std::string broken;  // The bound that does not hold; empty: it counts.
};

Result<const policy::Check*> find_check(const policy::PackSet& packs, const std::string& name) {
  if (const auto* check = packs.find_check(name)) return check;
  std::vector<std::string> alike;
  for (const auto* check : packs.checks()) {
    if (!check->ref.empty() && check->ref == name) alike.push_back(check->id);
  }
  if (alike.size() == 1) return packs.find_check(alike[0]);
  if (alike.size() > 1) {
    return Error{Errc::not_found,
                 fmt::format("{} has several checks: {}", name, fmt::join(alike, ", "))};
  }
  for (const auto* check : packs.checks()) {
    if (check->control == name || check->id.find(name) != std::string::npos) {
      alike.push_back(check->id);
    }
  }
  constexpr std::size_t kShownMax = 10;
  if (alike.size() > kShownMax) alike.resize(kShownMax);
  return Error{Errc::not_found,
               alike.empty()
                   ? fmt::format("no check \"{}\"; `vouch check --all` lists them", name)
                   : fmt::format("no check \"{}\"; there are {}", name, fmt::join(alike, ", "))};
}

std::vector<Support> supports_of(const policy::FrameworkLibrary& library,
                                 const policy::PackSet& packs, const std::string& control_id) {
  std::vector<Support> supports;
  const auto& control = *packs.find_control(control_id);
  for (const auto& framework : library.frameworks) {
    const auto* mapping = library.mapping(framework.id);
    if (mapping == nullptr) continue;
    for (const auto& entry : mapping->entries) {
      if (entry.control != control_id || entry.criterion.empty()) continue;
      const auto* criterion = framework.find(entry.criterion);
      supports.push_back({framework.id, entry.criterion,
                          criterion == nullptr ? "" : criterion->title, entry.relation, entry.why,
                          policy::broken_bound(entry, control)});
    }
  }
  return supports;
}

json::Value params_as_json(const policy::Params& params) {
  return json::Object(params.begin(), params.end());
}

json::Value as_json(const policy::Check& check, const policy::Control& control,
                    const std::string& pack, const std::vector<Support>& supports) {
  json::Array tables;
  for (const auto& table : check.tables) tables.emplace_back(table);
  json::Array criteria;
  for (const auto& support : supports) {
    json::Object object{{"framework", support.framework},
                        {"criterion", support.criterion},
                        {"title", support.title},
                        {"relation", support.relation},
                        {"why", support.why},
                        {"counts", support.broken.empty()}};
    if (!support.broken.empty()) object.emplace("broken_bound", support.broken);
    criteria.emplace_back(std::move(object));
  }
  json::Object object{{"check", check.id},
                      {"control", json::Object{{"id", control.id},
                                               {"title", control.title},
                                               {"owner", control.owner},
                                               {"frequency_s", control.frequency_s}}},
                      {"pack", pack},
                      {"title", check.title},
                      {"severity", to_string(check.severity)},
                      {"rationale", check.rationale},
                      {"tables", std::move(tables)},
                      {"params", params_as_json(check.params)},
                      {"default_params", params_as_json(check.default_params)},
                      {"sql", check.sql},
                      {"remediation", check.remediation},
                      {"tolerates_gaps", check.tolerates_gaps},
                      {"criteria", std::move(criteria)}};
  if (!check.ref.empty()) object.emplace("ref", check.ref);
  if (!check.applies.empty()) object.emplace("applies", check.applies);
  return object;
}

std::string params_text(const policy::Check& check) {
  std::string text;
  for (const auto& [name, value] : check.params) {
    const auto& original = check.default_params.at(name);
    text += fmt::format(
        "  :{} = {}{}\n", name, json::write(value),
        original == value ? "" : fmt::format("  (the pack says {})", json::write(original)));
  }
  return text;
}

std::string as_text(const policy::Check& check, const policy::Control& control,
                    const std::string& pack, const std::vector<Support>& supports,
                    const TerminalStyle& style) {
  const auto heading = [&](std::string_view text) {
    return "\n" + coloured(text, Colour::bold, style) + "\n";
  };
  auto text = fmt::format("{}{}\n{}\n", coloured(check.id, Colour::bold, style),
                          check.ref.empty() ? "" : "  " + check.ref, printable(check.title));
  text += fmt::format(
      "\nseverity {}, control {} ({}), owner {}, judged at least every {} h, pack "
      "{}\n",
      to_string(check.severity), control.id, printable(control.title),
      control.owner.empty() ? "nobody yet" : control.owner, control.frequency_s / 3600, pack);
  text += heading("Why") + wrapped(check.rationale, "  ", style);
  text += heading("Reads") + fmt::format("  {}\n", fmt::join(check.tables, ", "));
  if (check.tolerates_gaps) text += "  It judges although some objects could not be examined.\n";
  if (!check.applies.empty())
    text += heading("Applies where this returns a row") + indented(check.applies, "  ");
  text += heading("Violated by each row of") + indented(check.sql, "  ");
  if (!check.params.empty()) text += heading("Parameters") + params_text(check);
  text += heading("To do") + wrapped(check.remediation, "  ", style);
  if (supports.empty()) return text + heading("Criteria") + "  none\n";
  TextTable table({"framework", "criterion", "relation", "title", "why"});
  for (const auto& support : supports) {
    table.add({support.framework, support.criterion, support.relation, support.title,
               support.broken.empty() ? support.why : "does not count: " + support.broken},
              support.broken.empty() ? Colour::none : Colour::yellow);
  }
  return text + heading("Criteria") + table.render(style);
}

}  // namespace

int run_explain(const Arguments& arguments, Output& output) {
  auto places = find_places(arguments);
  if (!places) return fail_configuration(places.error(), output);
  auto packs = load_packs(*places);
  if (!packs) return output.fail(packs.error());
  auto check = find_check(*packs, arguments.positional[0]);
  if (!check) return output.fail(check.error());
  std::vector<Support> supports;
  if (!places->policies.empty()) {
    auto library = load_frameworks(*places);
    if (!library) return output.fail(library.error());
    supports = supports_of(*library, *packs, (*check)->control);
  }
  const auto& control = *packs->find_control((*check)->control);
  const auto& pack = packs->pack_of_check((*check)->id)->id;
  if (output.json) {
    output.write_json(as_json(**check, control, pack, supports));
  } else {
    output.out << as_text(**check, control, pack, supports, output.style);
  }
  return kExitPass;
}

}  // namespace vouch::cli
