// SPDX-License-Identifier: Apache-2.0
#include "agent/vouchd/control_commands.h"

#include <pwd.h>

#include <array>

namespace vouch::agent {
namespace {

constexpr std::int64_t kAlertsListedMax = 50;

json::Value failure(const Error& error) {
  return json::Object{{"ok", false}, {"error", error.message}};
}

json::Value ok() {
  return json::Object{{"ok", true}};
}

json::Value collect(Agent& agent, const std::string& collector) {
  auto run = agent.collect(collector, Trigger::manual);
  if (!run) return failure(run.error());
  return json::Object{{"ok", true}, {"run", *run}};
}

json::Value pause(Agent& agent, const std::string& collector, const json::Value& request,
                  uid_t peer) {
  const auto seconds = json::get_integer(request, "seconds");
  if (!seconds) return failure(seconds.error());
  const auto reason = json::get_string(request, "reason").value_or("");
  auto until = agent.pause(collector, *seconds, name_of_user(peer), reason);
  if (!until) return failure(until.error());
  return json::Object{{"ok", true}, {"until", format_second(*until)}};
}

json::Value test_alert(Agent& agent, const json::Value& request) {
  auto n = agent.send_test_alert(json::get_string(request, "channel").value_or(""));
  if (!n) return failure(n.error());
  return json::Object{{"ok", true}, {"n", *n}};
}

json::Value list_alerts(Agent& agent) {
  auto list = agent.list_alerts(kAlertsListedMax);
  if (!list) return failure(list.error());
  return json::Object{{"ok", true}, {"alerts", *list}};
}

}  // namespace

std::string name_of_user(uid_t uid) {
  const std::string number = "uid " + std::to_string(uid);
  std::array<char, 4096> buffer;
  struct passwd entry {};
  struct passwd* found = nullptr;
  if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr ||
      !is_window_text(found->pw_name)) {
    return number;
  }
  return std::string(found->pw_name) + " (" + number + ")";
}

json::Value serve_command(Agent& agent, const json::Value& request, uid_t peer) {
  const auto command = json::get_string(request, "command").value_or("");
  const auto collector = json::get_string(request, "collector").value_or("");
  if (command == "collect") return collect(agent, collector);
  if (command == "pause") return pause(agent, collector, request, peer);
  if (command == "alert-test") return test_alert(agent, request);
  if (command == "alerts") return list_alerts(agent);
  if (command == "resume" || command == "seal") {
    const Status done = command == "seal" ? agent.seal() : agent.resume(collector);
    return done ? ok() : failure(done.error());
  }
  auto done = agent.command(command, request);
  return done ? *std::move(done) : failure(done.error());
}

}  // namespace vouch::agent
