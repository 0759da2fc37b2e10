// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ostream>

#include "agent/cli/command.h"
#include "agent/cli/places.h"
#include "agent/vouchd/control.h"
#include "agent/vouchd/health.h"
#include "core/clock.h"

namespace vouch::cli {
namespace {

constexpr std::chrono::milliseconds kDeadline{5000};

std::string text_of(const json::Value* value) {
  if (value == nullptr || value->is_null()) return "never";
  if (const auto* text = value->if_string()) return *text;
  return json::write(*value);
}

bool any_failure(const std::vector<agent::Problem>& problems) {
  return std::any_of(problems.begin(), problems.end(),
                     [](const agent::Problem& problem) { return problem.is_failure; });
}

std::string problems_as_text(const std::vector<agent::Problem>& problems,
                             const TerminalStyle& style) {
  std::string text = any_failure(problems) ? coloured("NOT WORKING", Colour::red, style)
                                           : coloured("working", Colour::green, style);
  text += "\n";
  for (const agent::Problem& problem : problems) {
    const Colour colour = problem.is_failure ? Colour::red : Colour::yellow;
    text += "  " + coloured(problem.is_failure ? "failure" : "warning", colour, style) + "  " +
            problem.text + "\n           " + problem.remedy + "\n";
  }
  return text;
}

std::string as_text(const json::Value& status, const std::vector<agent::Problem>& problems,
                    const TerminalStyle& style) {
  const auto get = [&](std::string_view name) { return text_of(status.find(name)); };
  std::string text =
      fmt::format("agent {} on {}, version {}\n", get("agent"), get("host"), get("version"));
  text += problems_as_text(problems, style);
  text += fmt::format("collected: {} records wait to be sealed\n", get("collected_records"));
  text += fmt::format("sealed:    {} bundles, the last at {}, the next by {}\n",
                      get("sealed_bundles"), get("last_sealed"), get("next_due"));
  text += fmt::format("waiting:   {} bundles, {} bytes; acknowledged up to {}\n",
                      get("waiting_bundles"), get("spool_bytes"), get("acknowledged_seq"));
  const auto* collectors = status.find("collectors");
  if (collectors == nullptr || collectors->if_array() == nullptr) return text;
  TextTable table({"collector", "every", "next due", "last observed", "failure"});
  for (const auto& each : *collectors->if_array()) {
    const auto* failure = each.find("failure");
    const bool failed = failure != nullptr && !failure->is_null();
    table.add({text_of(each.find("name")), text_of(each.find("interval_s")) + " s",
               text_of(each.find("next_due")), text_of(each.find("last_observed")),
               failed ? text_of(failure) : ""},
              failed ? Colour::red : Colour::none);
  }
  return text + "\n" + table.render(style);
}

}  // namespace

int run_status(const Arguments& arguments, Output& output) {
  auto places = find_places(arguments);
  if (!places) return fail_configuration(places.error(), output);
  const auto socket = places->config.control_socket();
  auto reply = agent::control_request(socket, json::Object{{"command", "status"}}, kDeadline);
  if (!reply) {
    const auto code = reply.error().code;
    if (code == Errc::not_found || code == Errc::unavailable) {
      output.err << fmt::format(
          "vouch: no vouchd answers at {}: start it (`systemctl start "
          "vouchd`), or name its configuration with --config\n",
          socket);
      return kExitUnavailable;
    }
    if (code == Errc::denied && ::geteuid() != 0) {
      output.note("only root and the daemon's user and group may ask it: try sudo");
    }
    return output.fail(reply.error());
  }
  const auto* status = reply->find("status");
  if (status == nullptr) return output.fail({Errc::invalid, socket + ": an answer without status"});
  const WallSeconds now = SystemClock().wall_ms() / 1000;
  const auto problems = agent::problems_of(*status, now);
  if (arguments.has("--metrics")) {
    output.out << agent::write_metrics(*status, now);
    return kExitPass;
  }
  if (output.json) {
    json::Array list;
    for (const agent::Problem& problem : problems) {
      list.push_back(json::Object{{"level", problem.is_failure ? "failure" : "warning"},
                                  {"text", problem.text},
                                  {"remedy", problem.remedy}});
    }
    json::Object object = status->if_object() != nullptr ? *status->if_object() : json::Object{};
    object["working"] = !any_failure(problems);
    object["problems"] = std::move(list);
    output.write_json(object);
  } else {
    output.out << as_text(*status, problems, output.style);
  }
  return any_failure(problems) ? kExitFail : kExitPass;
}

}  // namespace vouch::cli
