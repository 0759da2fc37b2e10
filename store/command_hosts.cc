// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <utility>

#include "core/clock.h"
#include "core/json.h"
#include "core/text_table.h"
#include "store/arguments.h"
#include "store/commands.h"
#include "store/enrolled_hosts.h"
#include "store/index.h"
#include "store/layout.h"
#include "store/store.h"

namespace vouch::store {
namespace {

// What to say of a host at a glance, the worst first.
std::string condition(const Agent& agent, const Lateness& lateness, WallMs now) {
  if (agent.state != AgentState::active) return std::string(to_string(agent.state));
  if (agent.last_at == 0) return "enrolled, nothing received";
  if (lateness.overdue_leaf) return "overdue, logged";
  return now > agent.next_due ? "overdue" : "reporting";
}

Colour colour_of(const std::string& condition) {
  if (condition == "reporting") return Colour::none;
  if (condition == "decommissioned") return Colour::dim;
  return condition == "forked" || condition == "revoked" ? Colour::red : Colour::yellow;
}

std::string instant_or_dash(WallMs ms) {
  return ms == 0 ? "-" : format_instant(ms);
}

struct Host {
  Agent agent;
  Lateness lateness;
};

json::Value to_json(const Host& host, const json::Object& said, WallMs now) {
  const auto& [agent, lateness] = host;
  json::Object object{{"agent", agent.link.agent},
                      {"host", agent.host},
                      {"machine", agent.link.machine},
                      {"state", to_string(agent.state)},
                      {"condition", condition(agent, lateness, now)},
                      {"late_bundles", lateness.late},
                      {"version", agent.version},
                      {"labels", agent.labels},
                      {"next_seq", agent.link.next_seq},
                      {"epoch", agent.link.epoch},
                      {"enrolled_at", format_instant(agent.enrolled_at)}};
  if (agent.last_at != 0) {
    object.emplace("last_at", format_instant(agent.last_at));
    object.emplace("next_due", format_instant(agent.next_due));
  }
  if (lateness.overdue_leaf) object.emplace("overdue_leaf", *lateness.overdue_leaf);
  if (!said.empty()) object.emplace("enrolled_as", said);
  return object;
}

void print_table(const std::vector<Host>& hosts, WallMs now) {
  const TerminalStyle style = terminal_style();
  TextTable table(
      {"HOST", "CONDITION", "BUNDLES", "LATE", "LAST RECEIVED", "NEXT DUE", "AGENT", "LABELS"});
  for (const auto& [agent, lateness] : hosts) {
    const std::string state = condition(agent, lateness, now);
    table.add(
        {agent.host, state, std::to_string(agent.link.next_seq),
         lateness.late == 0 ? "-" : std::to_string(lateness.late), instant_or_dash(agent.last_at),
         instant_or_dash(agent.next_due), agent.link.agent, agent.labels},
        colour_of(state));
  }
  std::fputs(table.render(style).c_str(), stdout);
}

}  // namespace

int command_hosts(const std::vector<std::string>& words) {
  auto arguments = Arguments::parse(words, {"--dir", "--format"}, {});
  if (!arguments) return fail(kExitUsage, arguments.error().message);
  const std::string format = arguments->get("--format", "table");
  if (!arguments->has("--dir") || !arguments->rest().empty() ||
      (format != "table" && format != "json")) {
    return fail(kExitUsage, "expected: hosts --dir DIR [--format table|json]");
  }
  const std::string dir = arguments->get("--dir");
  auto settings = read_settings(dir);
  if (!settings) return fail(kExitUnavailable, settings.error().message);
  auto index = Index::open_read_only(dir + "/" + std::string(layout::kDatabase));
  if (!index) return fail(kExitUnavailable, index.error().message);
  auto agents = index->agents();
  if (!agents) return fail(kExitFailed, agents.error().message);
  std::vector<Host> hosts;
  for (auto& agent : *agents) {
    auto lateness = index->lateness(agent.link.agent);
    if (!lateness) return fail(kExitFailed, lateness.error().message);
    hosts.push_back({std::move(agent), *lateness});
  }
  const WallMs now = SystemClock().wall_ms();
  if (format == "json") {
    auto said = enrolled_hosts(dir);
    if (!said) return fail(kExitFailed, said.error().message);
    json::Array array;
    for (const auto& host : hosts) {
      array.push_back(to_json(host, (*said)[host.agent.link.agent], now));
    }
    std::printf("%s\n", json::write_pretty(json::Object{{"hosts", std::move(array)}}).c_str());
  } else if (hosts.empty()) {
    std::printf("no host is enrolled yet: vouch-store token create --dir %s\n", dir.c_str());
  } else {
    print_table(hosts, now);
  }
  return kExitOk;
}

}  // namespace vouch::store
