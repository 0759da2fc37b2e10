// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <ostream>

#include "agent/cli/ask.h"

namespace vouch::cli {

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
  return run_list(arguments,
                  {"baselines",
                   "no table has a baseline: `vouch baseline approve TABLE --reason WHY`",
                   {"table", "collector", "rows", "approved", "by", "ticket", "reason"}},
                  output);
}

}  // namespace vouch::cli
