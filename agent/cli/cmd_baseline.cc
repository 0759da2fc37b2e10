// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <ostream>

#include "agent/cli/ask.h"

namespace vouch::cli {
namespace {

std::string cell(const json::Value& row, std::string_view name) {
  const auto* value = row.find(name);
  if (value == nullptr) return {};
  return value->if_string() != nullptr ? *value->if_string() : json::write(*value);
}

}  // namespace

int run_baseline_approve(const Arguments& arguments, Output& output) {
  auto places = find_places(arguments);
  if (!places) return fail_configuration(places.error(), output);
  const auto reason = arguments.value("--reason");
  if (!reason || reason->empty()) {
    output.note("baseline approve: say why with --reason TEXT (and --ticket ID, if there is one)");
    return kExitUsage;
  }
  json::Object request{{"command", "approve-baseline"},
                       {"table", arguments.positional[0]},
                       {"by", user_name()},
                       {"ticket", arguments.value("--ticket").value_or("")},
                       {"reason", *reason}};
  if (const auto collector = arguments.value("--collector")) request["collector"] = *collector;
  auto answer = ask_daemon(*places, request);
  if (!answer) return fail_daemon(answer.error(), *places, output);
  const auto* baseline = answer->find("baseline");
  if (baseline == nullptr) return output.fail({Errc::invalid, "vouchd's answer has no baseline"});
  if (output.json) {
    output.write_json(*baseline);
    return kExitPass;
  }
  output.out << fmt::format(
      "{}: {} rows as last observed are the baseline (sha256 {}), approved by {}\n"
      "It is claimed until somebody else approves it in the store.\n",
      printable(cell(*baseline, "table")), cell(*baseline, "rows"),
      cell(*baseline, "sha256").substr(0, 12), printable(cell(*baseline, "by")));
  return kExitPass;
}

int run_baseline_list(const Arguments& arguments, Output& output) {
  auto places = find_places(arguments);
  if (!places) return fail_configuration(places.error(), output);
  auto answer = ask_daemon(*places, json::Object{{"command", "baselines"}});
  if (!answer) return fail_daemon(answer.error(), *places, output);
  const auto* list = answer->find("baselines");
  if (list == nullptr || list->if_array() == nullptr) {
    return output.fail({Errc::invalid, "vouchd's answer has no baselines"});
  }
  if (output.json) {
    output.write_json(*list);
    return kExitPass;
  }
  if (list->if_array()->empty()) {
    output.out << "no table has a baseline: `vouch baseline approve TABLE --reason WHY`\n";
    return kExitPass;
  }
  TextTable table({"table", "collector", "rows", "approved", "by", "ticket", "reason"});
  for (const auto& row : *list->if_array()) {
    table.add({cell(row, "table"), cell(row, "collector"), cell(row, "rows"), cell(row, "approved"),
               cell(row, "by"), cell(row, "ticket"), cell(row, "reason")});
  }
  output.out << table.render(output.style);
  return kExitPass;
}

}  // namespace vouch::cli
