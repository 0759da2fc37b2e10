// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "core/clock.h"
#include "core/json.h"
#include "core/text_table.h"
#include "store/arguments.h"
#include "store/commands.h"
#include "store/index.h"
#include "store/layout.h"
#include "store/store.h"

namespace vouch::store {
namespace {

// What to say of a host at a glance, the worst first.
std::string condition(const Agent& agent, WallMs now) {
  if (agent.state != AgentState::active) return std::string(to_string(agent.state));
  if (agent.last_at == 0) return "enrolled, nothing received";
  return now > agent.next_due ? "overdue" : "reporting";
}

Colour colour_of(const std::string& condition) {
  if (condition == "reporting") return Colour::none;
  return condition == "forked" ? Colour::red : Colour::yellow;
}

std::string instant_or_dash(WallMs ms) {
  return ms == 0 ? "-" : format_instant(ms);
}

json::Value to_json(const Agent& agent, WallMs now) {
  json::Object object{{"agent", agent.link.agent},
                      {"host", agent.host},
                      {"machine", agent.link.machine},
                      {"state", to_string(agent.state)},
                      {"condition", condition(agent, now)},
                      {"version", agent.version},
                      {"labels", agent.labels},
                      {"next_seq", agent.link.next_seq},
                      {"epoch", agent.link.epoch},
                      {"enrolled_at", format_instant(agent.enrolled_at)}};
  if (agent.last_at != 0) {
    object.emplace("last_at", format_instant(agent.last_at));
    object.emplace("next_due", format_instant(agent.next_due));
  }
  return object;
}

void print_table(const std::vector<Agent>& agents, WallMs now) {
  const TerminalStyle style = terminal_style();
  TextTable table({"HOST", "CONDITION", "BUNDLES", "LAST RECEIVED", "NEXT DUE", "AGENT", "LABELS"});
  for (const auto& agent : agents) {
    const std::string state = condition(agent, now);
    table.add(
        {agent.host, state, std::to_string(agent.link.next_seq), instant_or_dash(agent.last_at),
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
  const WallMs now = SystemClock().wall_ms();
  if (format == "json") {
    json::Array hosts;
    for (const auto& agent : *agents) hosts.push_back(to_json(agent, now));
    std::printf("%s\n", json::write_pretty(json::Object{{"hosts", std::move(hosts)}}).c_str());
  } else if (agents->empty()) {
    std::printf("no host is enrolled yet: vouch-store token create --dir %s\n", dir.c_str());
  } else {
    print_table(*agents, now);
  }
  return kExitOk;
}

}  // namespace vouch::store
