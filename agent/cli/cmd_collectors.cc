// SPDX-License-Identifier: Apache-2.0
// `vouch collectors`: what is collected, from what the collectors say of themselves. The page of
// one is the text of docs/collectors/NAME.md.
#include <fmt/format.h>

#include <ostream>

#include "agent/cli/collector_page.h"
#include "agent/cli/command.h"
#include "agent/cli/places.h"
#include "core/json.h"

namespace vouch::cli {
namespace {

json::Value as_json(const agent::Collector& collector) {
  auto manifest = json::parse(write_manifest(collector.manifest));
  return json::Object{{"name", collector.name},
                      {"program", collector.program},
                      {"digest", collector.digest},
                      {"interval_s", collector.interval_s},
                      {"deadline_s", collector.deadline_s},
                      {"manifest", manifest ? *std::move(manifest) : json::Value()}};
}

void print_list(const std::vector<agent::Collector>& collectors, const Output& output) {
  TextTable table({"collector", "every", "tables", "needs", "what"});
  for (const auto& collector : collectors) {
    table.add({collector.name, duration_text(collector.interval_s),
               std::to_string(collector.manifest.tables.size()), needs_text(collector.manifest),
               collector.manifest.title});
  }
  output.out << table.render(output.style);
}

}  // namespace

int run_collectors(const Arguments& arguments, Output& output) {
  auto places = find_places(arguments);
  if (!places) return fail_configuration(places.error(), output);
  auto collectors = load_collectors(*places);
  if (!collectors) return output.fail(collectors.error());
  if (arguments.positional.empty()) {
    json::Array all;
    for (const auto& collector : *collectors) all.push_back(as_json(collector));
    if (output.json) {
      output.write_json(json::Object{{"collectors", std::move(all)}});
    } else {
      print_list(*collectors, output);
    }
    return kExitPass;
  }
  for (const auto& collector : *collectors) {
    if (collector.name != arguments.positional[0]) continue;
    if (output.json) {
      output.write_json(as_json(collector));
    } else {
      output.out << collector_page(collector.manifest);
    }
    return kExitPass;
  }
  return output.fail({Errc::not_found, fmt::format("no collector \"{}\"; `vouch collectors` lists "
                                                   "those that there are",
                                                   arguments.positional[0])});
}

}  // namespace vouch::cli
