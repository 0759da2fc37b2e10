// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <ostream>

#include "agent/cli/command.h"
#include "agent/cli/places.h"
#include "agent/vouchd/control.h"

namespace vouch::cli {
namespace {

constexpr std::chrono::milliseconds kDeadline{5000};

std::string text_of(const json::Value* value) {
  if (value == nullptr || value->is_null()) return "never";
  if (const auto* text = value->if_string()) return *text;
  return json::write(*value);
}

bool is_true(const json::Value& status, std::string_view member) {
  const auto* value = status.find(member);
  return value != nullptr && value->if_bool() != nullptr && *value->if_bool();
}

std::string as_text(const json::Value& status, const TerminalStyle& style) {
  const auto get = [&](std::string_view name) { return text_of(status.find(name)); };
  std::string text =
      fmt::format("agent {} on {}, version {}\n", get("agent"), get("host"), get("version"));
  if (is_true(status, "forked")) {
    text +=
        coloured("FORKED: the store has another bundle at one of our numbers", Colour::red, style) +
        "\n";
  }
  if (is_true(status, "log_alarm")) {
    text += coloured("LOG ALARM: the log contradicts itself", Colour::red, style) + "\n";
  }
  if (!is_true(status, "enrolled"))
    text += "not enrolled: `vouch enroll` makes it known to a store\n";
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
  if (output.json) {
    output.write_json(*status);
  } else {
    output.out << as_text(*status, output.style);
  }
  return kExitPass;
}

}  // namespace vouch::cli
