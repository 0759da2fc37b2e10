// SPDX-License-Identifier: Apache-2.0
// `vouch alert`: what fires, what was told to whom, and a test that goes the whole way: daemon,
// outbox, shipper, receiver, answer.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <ostream>

#include "agent/cli/command.h"
#include "agent/cli/places.h"
#include "agent/cli/rows.h"
#include "agent/vouchd/control.h"
#include "alerts/listing.h"

namespace vouch::cli {
namespace {

constexpr std::chrono::milliseconds kDeadline{5000};
constexpr std::chrono::seconds kTestDeadline{60};
constexpr useconds_t kLookUs = 50'000;

Result<json::Value> ask_alerts(const std::string& socket) {
  auto answer = agent::control_request(socket, json::Object{{"command", "alerts"}}, kDeadline);
  if (!answer) return answer;
  auto list = json::get_object(*answer, "alerts");
  if (!list) return std::move(list).error().in("vouchd's answer");
  return **list;
}

// The alert of that number, as it stands now.
Result<json::Value> find_alert(const std::string& socket, std::int64_t n) {
  auto list = ask_alerts(socket);
  if (!list) return list;
  for (const auto& each : alerts::member_array(*list, "alerts")) {
    if (json::get_integer(each, "n").value_or(0) == n) return each;
  }
  return Error{Errc::not_found, fmt::format("alert {} is not on record any more", n)};
}

}  // namespace

int run_alert_list(const Arguments& arguments, Output& output) {
  auto places = find_places(arguments);
  if (!places) return fail_configuration(places.error(), output);
  auto list = ask_alerts(places->config.control_socket());
  if (!list) return output.fail(list.error());
  if (output.json) {
    output.write_json(*list);
  } else {
    output.out << alerts::firing_text(*list, output.style) << '\n'
               << alerts::alerts_text(*list, output.style);
  }
  return kExitPass;
}

int run_alert_test(const Arguments& arguments, Output& output) {
  auto places = find_places(arguments);
  if (!places) return fail_configuration(places.error(), output);
  const std::string socket = places->config.control_socket();
  const std::string& channel = arguments.positional[0];
  const auto begun = std::chrono::steady_clock::now();
  auto queued = agent::control_request(
      socket, json::Object{{"command", "alert-test"}, {"channel", channel}}, kDeadline);
  if (!queued) return output.fail(queued.error());
  const auto n = json::get_integer(*queued, "n").value_or(0);
  for (;;) {
    auto alert = find_alert(socket, n);
    if (!alert) return output.fail(alert.error());
    const auto passed = std::chrono::steady_clock::now() - begun;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(passed).count();
    const std::string state = alerts::member_text(*alert, "state");
    const std::string trouble = alerts::member_text(*alert, "message");
    if (state == "waiting" && trouble.empty() && passed < kTestDeadline) {
      usleep(kLookUs);
      continue;
    }
    if (output.json) {
      json::Value value = *alert;
      (*value.if_object())["took_ms"] = static_cast<std::int64_t>(ms);
      output.write_json(value);
    }
    if (state == "sent") {
      if (!output.json) {
        output.out << fmt::format("{}: delivered in {} ms\n", printable(channel), ms);
      }
      return kExitPass;
    }
    const std::string why =
        trouble.empty()
            ? "no answer by vouch-ship: `systemctl status vouch-ship` says whether it runs"
            : trouble + " (it is tried again)";
    output.note(fmt::format("{}: not delivered: {}", printable(channel), why));
    return kExitFail;
  }
}

}  // namespace vouch::cli
