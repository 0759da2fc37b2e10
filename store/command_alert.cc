// SPDX-License-Identifier: Apache-2.0
// alert list, alert test: what people are told of the fleet, beside a serving store.
#include <cstdio>
#include <string>

#include "alerts/listing.h"
#include "core/clock.h"
#include "core/text_table.h"
#include "store/arguments.h"
#include "store/commands.h"
#include "store/fleet_alerts.h"
#include "store/store.h"

namespace vouch::store {
namespace {

constexpr std::int64_t kListed = 50;
constexpr const char* kUsage =
    "expected: alert list --dir DIR [--alerts FILE] [--format table|json], or alert test CHANNEL "
    "--dir DIR [--alerts FILE]";

int list(FleetAlerts& alerts, bool as_json) {
  auto listed = alerts.list(kListed);
  if (!listed) return fail(kExitFailed, listed.error().message);
  if (as_json) {
    std::printf("%s\n", json::write_pretty(*listed).c_str());
    return kExitOk;
  }
  const TerminalStyle style = terminal_style();
  std::printf("%s\n%s", alerts::firing_text(*listed, style).c_str(),
              alerts::alerts_text(*listed, style).c_str());
  return kExitOk;
}

int send_test(FleetAlerts& alerts, const std::string& channel) {
  auto n = alerts.send_test(channel);
  if (!n) return fail(kExitFailed, n.error().message);
  std::printf("alert %lld to %s is queued; `vouch-store alert list` says what became of it\n",
              static_cast<long long>(*n), channel.c_str());
  return kExitOk;
}

}  // namespace

int command_alert(const std::vector<std::string>& words) {
  auto arguments = Arguments::parse(words, {"--dir", "--alerts", "--format"}, {});
  if (!arguments) return fail(kExitUsage, arguments.error().message);
  const auto& rest = arguments->rest();
  const std::string format = arguments->get("--format", "table");
  const bool lists = rest.size() == 1 && rest[0] == "list";
  const bool tests = rest.size() == 2 && rest[0] == "test";
  if (!arguments->has("--dir") || (!lists && !tests) || (format != "table" && format != "json")) {
    return fail(kExitUsage, kUsage);
  }
  const std::string dir = arguments->get("--dir");
  auto settings = read_settings(dir);
  if (!settings) return fail(kExitUnavailable, settings.error().message);
  const SystemClock clock;
  auto alerts = FleetAlerts::open({dir, settings->origin, settings->host,
                                   arguments->get("--alerts", std::string(kDefaultAlertRules)),
                                   settings->overdue_grace_s * 1000},
                                  clock);
  if (!alerts) return fail(kExitFailed, alerts.error().message);
  return lists ? list(**alerts, format == "json") : send_test(**alerts, rest[1]);
}

}  // namespace vouch::store
