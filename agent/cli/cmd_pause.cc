// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <ostream>

#include "agent/cli/command.h"
#include "agent/cli/places.h"
#include "agent/vouchd/control.h"
#include "core/yaml_section.h"

namespace vouch::cli {
namespace {

constexpr std::chrono::milliseconds kDeadline{60000};  // A run under way ends first.

// Asks for each collector named, or for every one that is configured; all are tried.
int ask_for_each(const Arguments& arguments, Output& output, json::Object request,
                 std::string_view done) {
  auto places = find_places(arguments);
  if (!places) return fail_configuration(places.error(), output);
  auto names = arguments.positional;
  if (arguments.has("--all") != names.empty()) {
    return output.fail({Errc::invalid, "name collectors, or say --all"}), kExitUsage;
  }
  for (const auto& each : places->config.collectors) {
    if (arguments.has("--all")) names.push_back(each.name);
  }
  int status = kExitPass;
  json::Array answers;
  for (const std::string& name : names) {
    request["collector"] = name;
    auto reply = agent::control_request(places->config.control_socket(), request, kDeadline);
    if (!reply) {
      status = output.fail(std::move(reply).error().in(name));
      continue;
    }
    const auto until = json::get_string(*reply, "until").value_or("");
    json::Object answer{{"collector", name}};
    if (!until.empty()) answer["until"] = until;
    answers.push_back(std::move(answer));
    if (!output.json) output.out << fmt::format("{} {}{}\n", name, done, until);
  }
  if (output.json) output.write_json(answers);
  return status;
}

}  // namespace

int run_pause(const Arguments& arguments, Output& output) {
  const auto text = arguments.value("--for");
  const auto reason = arguments.value("--reason");
  if (!text || !reason) {
    return output.fail({Errc::invalid, "pause needs --for and --reason"}), kExitUsage;
  }
  const auto seconds = parse_duration(*text);
  if (!seconds) return output.fail(Error(seconds.error()).in("--for")), kExitUsage;
  return ask_for_each(arguments, output,
                      {{"command", "pause"}, {"seconds", *seconds}, {"reason", *reason}},
                      "is paused until ");
}

int run_resume(const Arguments& arguments, Output& output) {
  return ask_for_each(arguments, output, {{"command", "resume"}}, "is on schedule again");
}

}  // namespace vouch::cli
