// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <utility>

#include "core/file.h"
#include "core/text_table.h"
#include "store/arguments.h"
#include "store/commands.h"
#include "store/fleet.h"
#include "store/layout.h"
#include "store/store.h"

namespace vouch::store {
namespace {

constexpr std::size_t kContentBytesMax = 8u << 20;
constexpr const char* kContentDirectory = "/usr/share/vouch/policies";

template <typename T>
Result<T> load(const std::string& path, Result<T> (*parse)(std::string_view, std::string_view)) {
  auto text = read_file(path, kContentBytesMax);
  if (!text)
    return std::move(text).error().in("--content says where frameworks/ and mappings/ are");
  return parse(*text, path);
}

void print_table(const std::vector<HostScorecard>& rows, const policy::Framework& framework) {
  std::printf("%s: what the hosts show of it; tested in part, on hosts\n\n",
              framework.title.c_str());
  TextTable table({"HOST", "NEWEST RUN", "TESTED IN PART", "GAPS", "PASS", "FAIL", "ERROR",
                   "WAIVED", "N/A", "NOT JUDGED"});
  for (const auto& row : rows) {
    const auto& card = row.scorecard;
    const auto& counts = card.counts;
    const Colour colour = counts.fail > 0   ? Colour::red
                          : row.newest == 0 ? Colour::yellow
                                            : Colour::none;
    table.add({row.agent.host, row.newest == 0 ? "nothing received" : format_instant(row.newest),
               std::to_string(card.tested_in_part), std::to_string(card.gaps),
               std::to_string(counts.pass), std::to_string(counts.fail),
               std::to_string(counts.error), std::to_string(counts.waived),
               std::to_string(counts.not_applicable), std::to_string(counts.not_judged)},
              colour);
  }
  std::fputs(table.render(terminal_style()).c_str(), stdout);
}

json::Value to_json(const std::vector<HostScorecard>& rows) {
  json::Array hosts;
  for (const auto& row : rows) {
    json::Object host{{"agent", row.agent.link.agent},
                      {"host", row.agent.host},
                      {"scorecard", policy::to_json(row.scorecard)}};
    if (row.newest != 0) host.emplace("newest_run", format_instant(row.newest));
    hosts.emplace_back(std::move(host));
  }
  return json::Object{{"hosts", std::move(hosts)}};
}

}  // namespace

int command_status(const std::vector<std::string>& words) {
  auto arguments = Arguments::parse(words, {"--dir", "--framework", "--content", "--format"}, {});
  if (!arguments) return fail(kExitUsage, arguments.error().message);
  const std::string format = arguments->get("--format", "table");
  if (!arguments->has("--dir") || !arguments->rest().empty() ||
      (format != "table" && format != "json")) {
    return fail(
        kExitUsage,
        "expected: status --dir DIR [--framework ID] [--content DIR] [--format table|json]");
  }
  const std::string content = arguments->get("--content", kContentDirectory);
  const std::string name = arguments->get("--framework", "soc2-2017");
  if (name.find('/') != std::string::npos) return fail(kExitUsage, "--framework: an id, no path");
  const std::string file = content + "/frameworks/" + name + ".yaml";
  if (file_exists(content + "/frameworks") && !file_exists(file)) {
    return fail(kExitFailed, "no framework \"" + name + "\": " + file + " is not there");
  }
  const auto framework = load(file, policy::load_framework);
  if (!framework) return fail(kExitFailed, framework.error().message);
  const auto mapping = load(content + "/mappings/" + name + ".yaml", policy::load_mapping);
  if (!mapping) return fail(kExitFailed, mapping.error().message);

  const std::string dir = arguments->get("--dir");
  auto settings = read_settings(dir);
  if (!settings) return fail(kExitUnavailable, settings.error().message);
  auto index = Index::open_read_only(dir + "/" + std::string(layout::kDatabase));
  if (!index) return fail(kExitUnavailable, index.error().message);
  std::vector<policy::PackSet> packs;
  auto rows = fleet_scorecards(*index, dir, *framework, *mapping, SystemClock().wall_ms(), packs);
  if (!rows) return fail(kExitFailed, rows.error().message);
  if (format == "json") {
    std::printf("%s\n", json::write_pretty(to_json(*rows)).c_str());
  } else if (rows->empty()) {
    std::printf("no host is enrolled yet: vouch-store token create --dir %s\n", dir.c_str());
  } else {
    print_table(*rows, *framework);
  }
  return kExitOk;
}

}  // namespace vouch::store
